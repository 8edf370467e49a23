/** Which failed requests are sent again, and after how long. */

import { ConnectionError, ResponseError, type SmnError } from "./errors.ts";

/** How often a failed request is sent again, and after how long. */
export interface RetryOptions {
  /** Attempts after the first one. Default 3; 0 turns retries off. */
  readonly maxRetries?: number | undefined;
  /** Wait before the first retry, doubled for each further one. Default 250. */
  readonly baseDelayMs?: number | undefined;
  /** Longest wait between attempts unless the service asks for more. Default 8,000. */
  readonly maxDelayMs?: number | undefined;
  /**
   * When the service asks to wait longer than this, the call fails at once
   * and the error has `retryAfterMs`. Default 60,000.
   */
  readonly maxRetryAfterMs?: number | undefined;
  /**
   * Repeat what is not idempotent too, such as publishing. A message may then
   * go out twice. Default false: such a request is repeated only when its
   * connection failed before it was sent.
   */
  readonly retryNonIdempotent?: boolean | undefined;
}

/** The wait before trying again; `undefined` when there is no further attempt. */
export type RetryPolicy = (failure: {
  readonly error: SmnError;
  /** Attempts so far, from 1. */
  readonly attempts: number;
  readonly isIdempotent: boolean;
}) => number | undefined;

const transientStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export function createRetryPolicy(
  options: RetryOptions = {},
  /** Answers a number from 0 up to but not including 1. */
  random: () => number = Math.random,
): RetryPolicy {
  const {
    maxRetries = 3,
    baseDelayMs = 250,
    maxDelayMs = 8_000,
    maxRetryAfterMs = 60_000,
    retryNonIdempotent = false,
  } = options;
  return ({ error, attempts, isIdempotent }) => {
    if (attempts > maxRetries || !isTransient(error)) return undefined;
    const mayRepeat =
      isIdempotent || retryNonIdempotent || wasSurelyNotSent(error);
    if (!mayRepeat) return undefined;
    const askedMs =
      (error instanceof ResponseError ? error.retryAfterMs : undefined) ?? 0;
    if (askedMs > maxRetryAfterMs) return undefined;
    const backoffMs = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempts - 1));
    // Clients that failed together do not come back together, and none comes
    // before the service wants it.
    return Math.max(askedMs, backoffMs / 2) + (random() * backoffMs) / 2;
  };
}

function isTransient(error: SmnError): boolean {
  if (error instanceof ConnectionError) return true;
  if (!(error instanceof ResponseError)) return false;
  const { status, retryAfterMs } = error;
  // A conflict that passes: the request is still running that this one repeats.
  const isRunning = status === 409 && retryAfterMs !== undefined;
  return isRunning || transientStatuses.has(status);
}

function wasSurelyNotSent(error: SmnError): boolean {
  return error instanceof ConnectionError && !error.outcomeUnknown;
}
