/**
 * One HTTP exchange: sent, awaited with a deadline, sent again when that is
 * safe and may help, and read. Knows nothing of SMN or of credentials.
 */

import { sleep } from "./abort.ts";
import { InvalidResponseError, ResponseError, SmnError } from "./errors.ts";
import { fetchText } from "./fetch-text.ts";
import { type JsonObject, parseObject, parseObjects } from "./json.ts";
import { findRequestId, toResponseError } from "./refusal.ts";
import type { RetryPolicy } from "./retry.ts";

/** What every operation takes as its last argument. */
export interface RequestOptions {
  /**
   * Ends the call: it rejects with the signal's reason. A request that was
   * already sent may be carried out all the same.
   */
  readonly signal?: AbortSignal | undefined;
  /** For each attempt. The connection's `timeoutMs` unless given. */
  readonly timeoutMs?: number | undefined;
}

/** What operations that publish take besides. */
export interface PublishOptions extends RequestOptions {
  /**
   * 1 to 255 printable ASCII characters. Within 24 hours the same request with
   * the same key is carried out once, however often it is sent: it is answered
   * as it was the first time. Another request with it is refused (422).
   */
  readonly idempotencyKey?: string | undefined;
}

/** Methods that the service's APIs use. */
export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface HttpRequest extends RequestOptions {
  readonly method: HttpMethod;
  readonly url: string;
  /** Asked for each attempt: a signature holds for minutes only. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  readonly body?: string | undefined;
  readonly isIdempotent: boolean;
  /** What the server was asked to wait; the deadline is so much later. */
  readonly waitMs?: number | undefined;
  /** The answer is a list of objects. Default: an object. */
  readonly answersList?: boolean | undefined;
}

export interface HttpAnswer {
  readonly headers: Headers;
  readonly body: JsonObject;
  /** Where a list was to be answered; `body` is empty then. */
  readonly list: readonly JsonObject[];
  readonly requestId: string | undefined;
}

/** Resolves with a 2xx answer; anything else rejects with a SmnError. */
export type Transport = (request: HttpRequest) => Promise<HttpAnswer>;

export interface TransportOptions {
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly retryPolicy: RetryPolicy;
}

export function createTransport(options: TransportOptions): Transport {
  return async (request) => {
    for (let attempts = 1; ; attempts++) {
      request.signal?.throwIfAborted();
      try {
        return await exchange(request, options);
      } catch (error) {
        if (!(error instanceof SmnError)) throw error;
        const { isIdempotent } = request;
        const delayMs = options.retryPolicy({ error, attempts, isIdempotent });
        if (delayMs === undefined) throw error;
        await sleep(delayMs, request.signal);
      }
    }
  };
}

async function exchange(
  request: HttpRequest,
  { fetch, timeoutMs = 30_000 }: TransportOptions,
): Promise<HttpAnswer> {
  // Wrong headers fail here and are not taken for a broken connection.
  const headers = new Headers(await request.headers());
  const target = describe(request);
  const { response, text } = await fetchText(
    request.url,
    {
      method: request.method,
      headers,
      body: request.body ?? null,
      // A redirect would carry the token to whatever host it names.
      redirect: "manual",
    },
    {
      fetch,
      timeoutMs: (request.timeoutMs ?? timeoutMs) + (request.waitMs ?? 0),
      signal: request.signal,
      target,
    },
  );
  return read(response, text, target, request);
}

function read(
  response: Response,
  text: string,
  target: string,
  { answersList = false }: HttpRequest,
): HttpAnswer {
  if (response.type === "opaqueredirect") {
    throw new ResponseError(`${target} was answered with a redirect`, {
      status: 0,
    });
  }
  if (!response.ok) throw toResponseError(response, text, target);
  const list = answersList ? parseObjects(text) : [];
  const body = answersList || text === "" ? {} : parseObject(text);
  if (body === undefined || list === undefined) {
    throw new InvalidResponseError(
      `${target} was answered with something else than a JSON ${answersList ? "list" : "object"}; is the endpoint an SMN service?`,
    );
  }
  const requestId = findRequestId(body, response);
  return { headers: response.headers, body, list, requestId };
}

/** Names the request without its query, which may hold addresses. */
function describe({ method, url }: HttpRequest): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}
