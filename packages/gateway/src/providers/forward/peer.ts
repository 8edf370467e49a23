/**
 * The other end of a forward pair, as something to post to. Turns its answers
 * into values, and everything that goes wrong into the error it means.
 */

import { basicAuthorization, splitCredentials } from "../../basic-auth.ts";
import {
  ConfigurationError,
  type ProviderErrorOptions,
  ServerError,
} from "../../errors.ts";
import {
  bodyText,
  createFetchHttpClient,
  type HttpClient,
  type HttpResponse,
  originOf,
  toConnectionError,
} from "../../http.ts";
import type { ProviderHost } from "../../provider.ts";
import { redact, secretsOfCredentials, secretsOfUrl } from "../../redact.ts";
import { parseRetryAfter } from "../../retry-after.ts";
import { DEFAULT_TIMEOUT_MS, type ForwardPeerConfig } from "./config.ts";
import { decode, encode } from "./jsonex.ts";
import { SIGNATURE_HEADER, sign } from "./signature.ts";
import { VIA_HEADER, viaHeader } from "./via.ts";
import { errorFromWire, errorToWire, OUTCOME_HEADER } from "./wire-errors.ts";
import { isRecord, JsonExError } from "./wire-values.ts";

export class ForwardPeer {
  readonly #url: string;
  readonly #authorization: string | undefined;
  readonly #config: ForwardPeerConfig;
  readonly #http: HttpClient | undefined;
  readonly #secrets: readonly string[];

  /** Throws `ConfigurationError` for what is no HTTP URL. */
  constructor(peerUrl: string, config: ForwardPeerConfig) {
    const { url, credentials } = splitCredentials(String(peerUrl));
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new ConfigurationError(
        "The URL of a forward peer must begin with http:// or https://",
      );
    }
    this.#url = url.replace(/\/+$/, "");
    this.#authorization = credentials && basicAuthorization(credentials);
    this.#config = config;
    this.#secrets = [
      ...secretsOfUrl(peerUrl),
      ...(config.auth ? secretsOfCredentials(config.auth) : []),
      ...(config.secret ? [config.secret] : []),
    ];
    this.#http = config.fetch && createFetchHttpClient({ fetch: config.fetch });
  }

  /**
   * Posts an object under a key and returns what came back under the same key.
   * Rejects with the error the peer reports, with `ProviderConnectionError`
   * when it cannot be reached, and with `ServerError` when its answer makes no
   * sense.
   */
  async post(
    path: "/im" | "/status",
    key: "message" | "status",
    object: object,
    host: ProviderHost,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const url = this.#url + path;
    const body = encode({ [key]: object });
    const { secret, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#config;
    const headers: Record<string, string> = {
      "content-type": "application/json",
      [VIA_HEADER]: viaHeader(object, host.id),
    };
    if (this.#authorization) headers.authorization = this.#authorization;
    if (secret) {
      const signed = { method: "POST", url, body };
      headers[SIGNATURE_HEADER] = await sign(secret, signed, host.now());
    }

    let response: HttpResponse;
    try {
      const http = this.#http ?? host.http;
      response = await http.request({
        method: "POST",
        url,
        headers,
        body,
        timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw toConnectionError(error, url);
    }
    return this.#read(response, key, host.now());
  }

  #read(response: HttpResponse, key: string, nowMs: number): unknown {
    const { status } = response;
    const answer = decodeAnswer(response);
    // Reported errors count whatever the status is.
    if (isRecord(answer) && answer.error instanceof Error) {
      const isUnknown = response.headers[OUTCOME_HEADER] === "unknown";
      throw withoutSecrets(answer.error, this.#secrets, isUnknown);
    }
    if (status < 300 && isRecord(answer) && answer[key] !== undefined) {
      return answer[key];
    }
    const retryAfterMs = parseRetryAfter(
      response.headers["retry-after"],
      nowMs,
    );
    const options: ProviderErrorOptions = {
      code: status,
      // "Unavailable" and "no such thing" are said before any work is done.
      outcomeUnknown: status < 300 || (status >= 500 && status !== 503),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    throw new ServerError(
      `Server at ${originOf(this.#url)} failed: HTTP ${status}, ` +
        "and no answer of a forward peer",
      options,
    );
  }
}

/** The same error, in case the peer quotes what it was sent. */
function withoutSecrets(
  error: Error,
  secrets: readonly string[],
  outcomeUnknown: boolean,
): Error {
  const [name, args] = errorToWire(error);
  const redacted = args.map((arg) =>
    typeof arg === "string" ? redact(arg, secrets) : arg,
  );
  return errorFromWire(name, redacted, outcomeUnknown) ?? error;
}

function decodeAnswer(response: HttpResponse): unknown {
  try {
    return decode(bodyText(response));
  } catch (error) {
    if (error instanceof JsonExError) return undefined;
    throw error;
  }
}
