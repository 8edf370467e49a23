/** Opens an answer that is read as it comes. */

import { sleep } from "./abort.ts";
import { toConnectionError } from "./connection-failure.ts";
import { RequestTimeoutError } from "./errors.ts";
import { toResponseError } from "./refusal.ts";
import type { HttpRequest, TransportOptions } from "./transport.ts";

/**
 * Resolves with the head of a 2xx answer, whose body is still to come; anything
 * else rejects with a SmnError, and is not tried again here. The signal of the
 * request ends the body, too.
 */
export function createStreamTransport({
  fetch: ownFetch,
  timeoutMs: defaultMs = 30_000,
}: Omit<TransportOptions, "retryPolicy">) {
  return async (request: HttpRequest): Promise<Response> => {
    const { method, url, signal, timeoutMs = defaultMs } = request;
    const { origin, pathname } = new URL(url);
    const target = `${method} ${origin}${pathname}`;
    const headers = new Headers(await request.headers());
    headers.set("accept", "text/event-stream");
    signal?.throwIfAborted();
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    // Of the head only: the body lasts.
    const answered = new AbortController();
    sleep(timeoutMs, answered.signal).then(
      () => abort.abort(late),
      () => {},
    );
    const late = new RequestTimeoutError(
      `${target} got no answer within ${timeoutMs} ms`,
      timeoutMs,
    );
    try {
      const fetch = ownFetch ?? globalThis.fetch;
      const response = await fetch(url, {
        method,
        headers,
        redirect: "manual",
        signal: abort.signal,
      });
      if (response.ok) return response;
      throw toResponseError(response, await response.text(), target);
    } catch (cause) {
      signal?.removeEventListener("abort", onAbort);
      signal?.throwIfAborted();
      if (abort.signal.aborted) throw late;
      if (cause instanceof Error && "status" in cause) throw cause;
      throw toConnectionError(cause, target);
    } finally {
      answered.abort();
    }
  };
}
