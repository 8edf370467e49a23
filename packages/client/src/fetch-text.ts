/** One `fetch` with a deadline, read to its end. */

import { withAnySignal } from "./abort.ts";
import { toConnectionError } from "./connection-failure.ts";
import { RequestTimeoutError } from "./errors.ts";

export interface FetchTextOptions {
  /** Instead of the runtime's own. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What the request is called in errors. */
  readonly target: string;
}

export interface FetchedText {
  readonly response: Response;
  readonly text: string;
}

/**
 * Any status is an answer. Rejects with ConnectionError, RequestTimeoutError
 * or the signal's reason.
 */
export async function fetchText(
  url: string,
  init: Omit<RequestInit, "signal">,
  options: FetchTextOptions,
): Promise<FetchedText> {
  const { signal, target, timeoutMs } = options;
  // Looked up per call, so that a replaced global `fetch` is honoured.
  const fetch = options.fetch ?? globalThis.fetch;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signals = signal ? [signal, deadline] : [deadline];
  try {
    return await withAnySignal(signals, async (signal) => {
      const response = await fetch(url, { ...init, signal });
      return { response, text: await response.text() };
    });
  } catch (cause) {
    signal?.throwIfAborted();
    if (deadline.aborted) {
      throw new RequestTimeoutError(
        `${target} got no answer within ${timeoutMs} ms`,
        timeoutMs,
        { cause },
      );
    }
    throw toConnectionError(cause, target);
  }
}
