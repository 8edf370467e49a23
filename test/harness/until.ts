/** Waiting for conditions, with a deadline that says what did not happen. */

/**
 * Resolves once the condition holds.
 *
 * @throws Error that names `what` after the deadline
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  deadlineMs = 30_000,
  everyMs = 100,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw timedOut(what, deadlineMs);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/**
 * The promise's value, if it comes in time. What it stands for goes on.
 *
 * @throws Error that names `what` after the deadline
 */
export async function within<T>(
  promise: Promise<T>,
  what: string | (() => string),
  deadlineMs: number,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(timedOut(what, deadlineMs)),
    deadlineMs,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Resolves once the count is reached. How long that takes is the machine's
 * affair; a count that stands still is a failure.
 *
 * @throws Error that names `what` when the count has not grown for so long
 */
export async function untilCounted(
  count: () => number | Promise<number>,
  target: number,
  what: string,
  stallMs = 20_000,
): Promise<void> {
  for (let last = await count(); last < target; ) {
    let next = last;
    await until(
      async () => {
        next = await count();
        return next > last;
      },
      () => `${what} (${last} of ${target}, and no more)`,
      stallMs,
    );
    last = next;
  }
}

function timedOut(what: string | (() => string), deadlineMs: number): Error {
  const words = typeof what === "string" ? what : what();
  return new Error(`Not within ${deadlineMs / 1000} s: ${words}`);
}
