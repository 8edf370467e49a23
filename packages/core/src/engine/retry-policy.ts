/** When to try again. A policy is data; it can be stored and shown. */

export interface RetryPolicy {
  readonly name: string;
  /** Waits before the 2nd, 3rd, … attempt, in milliseconds. */
  readonly delaysMs: readonly number[];
  /** Up to this share of the delay is added, so that retries spread out. */
  readonly jitter: number;
  /**
   * Whether an HTTP status of 4xx that invites another attempt (408, 425, 429) gets
   * one. All others of 4xx are final anyway.
   */
  readonly retryClientErrors: boolean;
  /** A receiver's wish for a longer wait counts for this much, in milliseconds. */
  readonly maxRetryAfterMs: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** Ten attempts over two days. */
export const defaultRetryPolicy: RetryPolicy = {
  name: "default",
  delaysMs: [
    5 * second,
    30 * second,
    2 * minute,
    10 * minute,
    30 * minute,
    2 * hour,
    6 * hour,
    12 * hour,
    24 * hour,
  ],
  jitter: 0.2,
  retryClientErrors: true,
  maxRetryAfterMs: 24 * hour,
};

/** SMN's: six more attempts within 18 to 22 minutes, none after any 4xx. */
export const smnRetryPolicy: RetryPolicy = {
  name: "smn",
  delaysMs: [
    5 * second,
    15 * second,
    45 * second,
    2 * minute,
    5 * minute,
    10 * minute,
  ],
  jitter: 0.2,
  retryClientErrors: false,
  maxRetryAfterMs: 24 * hour,
};

/**
 * The wait after a failed attempt, in milliseconds; `undefined` when there is
 * no further attempt.
 *
 * @param attempts attempts made so far, at least 1
 * @param random answers a number in [0, 1)
 * @param retryAfterMs the receiver's wish: a floor, never a shorter wait
 */
export function retryDelay(
  policy: RetryPolicy,
  attempts: number,
  random: () => number,
  retryAfterMs = 0,
): number | undefined {
  const base = policy.delaysMs[attempts - 1];
  if (base === undefined) return undefined;
  const delay = base * (1 + policy.jitter * random());
  const wish = Math.min(retryAfterMs, policy.maxRetryAfterMs);
  return Math.ceil(Math.max(delay, wish));
}
