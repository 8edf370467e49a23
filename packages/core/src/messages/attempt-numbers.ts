/** Which entries of a delivery's history are attempts. */

import type { Attempt, Delivery } from "./delivery.ts";

/**
 * The number of each attempt, from 1; `undefined` for an entry that says why none
 * was made, such as that a guard held the text.
 */
export function attemptNumbers({
  attempts,
  attemptCount,
}: Pick<Delivery, "attempts" | "attemptCount">): (number | undefined)[] {
  let unmade = Math.max(0, attempts.length - attemptCount);
  const isMade = attempts.map(() => true);
  for (const [at, attempt] of [...attempts.entries()].reverse()) {
    if (unmade > 0 && tellsWhyNone(attempt)) {
      isMade[at] = false;
      unmade--;
    }
  }
  let number = 0;
  return isMade.map((made) => (made ? ++number : undefined));
}

/** What nobody was asked for took no time, and has no answer. */
function tellsWhyNone(attempt: Attempt): boolean {
  const { durationMs, errorClass, statusCode, provider } = attempt;
  return (
    durationMs === 0 &&
    errorClass !== undefined &&
    statusCode === undefined &&
    provider === undefined
  );
}
