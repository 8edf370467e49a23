/** Waiting that an AbortSignal ends. Without what Node.js lacks before 22. */

/**
 * Resolves after `ms`; rejects with the signal's reason when it aborts.
 * `keepsAlive` false: a program that has nothing else to do may end meanwhile.
 */
export function sleep(
  ms: number,
  signal?: AbortSignal,
  { keepsAlive = true }: { readonly keepsAlive?: boolean } = {},
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const done = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
    if (!keepsAlive) unref(timer);
  });
  return abandonOnAbort(done, signal).finally(() => clearTimeout(timer));
}

/**
 * What `promise` gives, unless the signal aborts first. The work behind the
 * promise goes on: others may be waiting for it too.
 */
export async function abandonOnAbort<T>(
  promise: Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * What `run` gives with a signal that aborts with the first of `signals`, for
 * its reason. In place of AbortSignal.any, which Node.js has from 20.3 on.
 */
export async function withAnySignal<T>(
  signals: readonly AbortSignal[],
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const any = new AbortController();
  const listeners = signals.map((signal) => {
    const abort = () => any.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  });
  try {
    return await run(any.signal);
  } finally {
    for (const remove of listeners) remove();
  }
}

/** A timer is an object in Node.js only. */
function unref(timer: unknown): void {
  if (typeof timer !== "object" || timer === null) return;
  if ("unref" in timer && typeof timer.unref === "function") timer.unref();
}
