/**
 * The only way in which providers reach the network, and a client over `fetch`
 * with a deadline and a limit on the answer's size; the default one stands in
 * `node-http-client.ts`. A server that guards its egress passes its own client
 * to the gateway.
 */

import { Deadline } from "./deadline.ts";
import { ProviderConnectionError } from "./errors.ts";
import { readAtMost } from "./read-body.ts";

/** A request of a provider to its carrier. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** For the whole exchange; the client's own deadline when absent. */
  readonly timeoutMs?: number;
  /** Longer answers fail; the client's own limit when absent. */
  readonly maxResponseBytes?: number;
  readonly signal?: AbortSignal;
}

/** A carrier's response, read to its end. */
export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Port for outward requests. Any HTTP status is a response. Everything short
 * of one rejects with `ProviderConnectionError`, its `outcomeUnknown` false
 * only if the request surely did not arrive; an abort rejects with the
 * signal's reason. Redirects are answers, they are not followed.
 */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
}

/** Limits of a client. */
export interface HttpClientOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  /** Default 4 MiB. */
  readonly maxResponseBytes?: number;
}

/** Limits of a client over `fetch`. */
export interface FetchHttpClientOptions extends HttpClientOptions {
  /** Instead of the runtime's own. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * Builds a client over `fetch`. Node's own breaks the connection at a `100
 * Continue` that was not asked for; the outcome is unknown then.
 */
export function createFetchHttpClient(
  options: FetchHttpClientOptions = {},
): HttpClient {
  const { timeoutMs = 10_000, maxResponseBytes = 4 * 1024 * 1024 } = options;
  return {
    async request(request) {
      // Looked up per call, so that a replaced global `fetch` is honoured.
      const fetch = options.fetch ?? globalThis.fetch;
      using deadline = new Deadline(
        request.timeoutMs ?? timeoutMs,
        request.signal,
      );
      const init = {
        method: request.method,
        headers: { ...request.headers },
        body: request.body ?? null,
        redirect: "manual",
        signal: deadline.signal,
      } as const;
      checkRequest(request);
      try {
        const response = await fetch(request.url, init);
        return {
          status: response.status,
          headers: Object.fromEntries(response.headers),
          body: await readBody(
            response,
            request.maxResponseBytes ?? maxResponseBytes,
          ),
        };
      } catch (error) {
        request.signal?.throwIfAborted();
        throw toConnectionError(error, request.url);
      }
    },
  };
}

/**
 * Throws `ProviderConnectionError` for what can never be sent. The reason is
 * not in the text: it quotes the URL or the header.
 */
export function checkRequest({ url, method, headers = {} }: HttpRequest): void {
  let protocol: string;
  try {
    const request = new Request(url, { method, headers: { ...headers } });
    ({ protocol } = new URL(request.url));
  } catch (cause) {
    throw notSent(
      url,
      "INVALID_REQUEST",
      "its URL or a header is wrong",
      cause,
    );
  }
  if (protocol !== "https:" && protocol !== "http:") {
    throw notSent(url, "INVALID_REQUEST", "it is no HTTP URL");
  }
  if (Object.values(headers).some((value) => notInFieldValue.test(value))) {
    throw notSent(url, "INVALID_REQUEST", "a header is wrong");
  }
}

/** RFC 9110 §5.5; a `Request` takes more, and no client sends it. */
const notInFieldValue = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The error for a request that is refused before anything of it is sent, and
 * would be each time.
 *
 * @param reason completes "The request to … cannot be sent: "; without secrets
 */
export function notSent(
  url: string,
  code: string,
  reason: string,
  cause?: unknown,
): ProviderConnectionError {
  return new ProviderConnectionError(
    `The request to ${originOf(url)} cannot be sent: ${reason}`,
    { code, retryable: false, ...(cause === undefined ? {} : { cause }) },
  );
}

/** The body of a response as text, read as UTF-8. */
export function bodyText(response: Pick<HttpResponse, "body">): string {
  return new TextDecoder().decode(response.body);
}

/** What a client saw of a request that failed. */
export interface FailedRequest {
  /**
   * Whether it had a connection: one that had none surely did not arrive.
   * Default true.
   */
  readonly hasBegun?: boolean;
}

/**
 * Any failure of a request as `ProviderConnectionError`. The text names the
 * server but never the path or credentials, which are often secret.
 */
export function toConnectionError(
  error: unknown,
  url: string,
  { hasBegun = true }: FailedRequest = {},
): ProviderConnectionError {
  if (error instanceof ProviderConnectionError) return error;
  // The ports that the Fetch standard blocks (§2.9), such as 5060 and 6000.
  if (error instanceof Error && causeMessage(error) === "bad port") {
    return notSent(url, "BAD_PORT", "its port is blocked", error);
  }
  const codes = failureCodes(error);
  const code = codes[0];
  return new ProviderConnectionError(
    `No answer from ${originOf(url)}: ${code ?? describe(error)}`,
    {
      cause: error,
      outcomeUnknown: hasBegun && !codes.some((c) => NEVER_SENT.has(c)),
      ...(code === undefined ? {} : { code }),
    },
  );
}

/** Scheme and host of a URL, for messages. */
export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "an invalid URL";
}

const NEVER_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ERR_INVALID_URL",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

// `fetch` hides the reason in `cause`, and a host with several addresses adds
// an AggregateError around it.
function failureCodes(error: unknown): string[] {
  const codes: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    if ("code" in current && typeof current.code === "string") {
      codes.push(current.code);
    }
    if (current.name === "TimeoutError") codes.push("TIMEOUT");
    current =
      current instanceof AggregateError ? current.errors[0] : current.cause;
  }
  return codes;
}

function causeMessage({ cause }: Error): string | undefined {
  return cause instanceof Error ? cause.message : undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function readBody(
  response: Response,
  maxBytes: number,
): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const body = await readAtMost(response.body, maxBytes);
  if (body !== undefined) return body;
  throw answerTooLarge(response.url, maxBytes);
}

export function answerTooLarge(
  url: string,
  maxBytes: number,
): ProviderConnectionError {
  return new ProviderConnectionError(
    `The answer of ${originOf(url)} exceeds ${maxBytes} bytes`,
    { code: "RESPONSE_TOO_LARGE", outcomeUnknown: true },
  );
}
