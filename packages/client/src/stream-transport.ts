/** Opens an answer that is read as it comes. */

import { sleep } from "./abort.ts";
import { toConnectionError } from "./connection-failure.ts";
import {
  InvalidResponseError,
  RequestTimeoutError,
  ResponseError,
  SmnError,
} from "./errors.ts";
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
      if (response.type === "opaqueredirect") {
        throw new ResponseError(`${target} was answered with a redirect`, {
          status: 0,
        });
      }
      if (!response.ok) {
        throw toResponseError(response, await response.text(), target);
      }
      const type = response.headers.get("content-type") ?? "";
      if (type.startsWith("text/event-stream")) return response;
      throw new InvalidResponseError(
        `${target} was answered with something else than a stream of events`,
      );
    } catch (cause) {
      signal?.removeEventListener("abort", onAbort);
      signal?.throwIfAborted();
      if (cause instanceof SmnError) {
        // Whatever else it sends is not waited for.
        abort.abort();
        throw cause;
      }
      if (abort.signal.aborted) throw late;
      throw toConnectionError(cause, target);
    } finally {
      answered.abort();
    }
  };
}
