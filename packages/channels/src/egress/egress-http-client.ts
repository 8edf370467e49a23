/**
 * The gateway's HTTP client, behind the egress guard: how SMS providers
 * reach their carriers. Keeps connections, follows no redirects, and knows
 * whether a request that failed had begun to be sent: only then may the
 * carrier have it.
 */

import { type Clock, systemClock } from "@carillon/core";
import {
  Deadline,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  notSent,
  originOf,
  ProviderConnectionError,
  toConnectionError,
} from "@carillon/gateway";
import { limitsForBody } from "../http-client/answer-reader.ts";
import { ConnectionPool } from "../http-client/connection-pool.ts";
import {
  InvalidHeaderError,
  type RequestHeaders,
} from "../http-client/request-bytes.ts";
import {
  type Answer,
  RequestExchange,
} from "../http-client/request-exchange.ts";
import { type RequestTarget, toRequestTarget } from "../request-target.ts";
import { createEgressConnector } from "./egress-connector.ts";
import { type EgressGuard, EgressRefusedError } from "./egress-guard.ts";

/** Limits of the client; each has a default but the guard. */
export interface EgressHttpClientOptions {
  readonly egress: EgressGuard;
  /**
   * For the whole exchange, from when it has a connection, where a request says
   * nothing else. Default 10 s.
   */
  readonly timeoutMs?: number;
  /**
   * How long a request waits for one of the connections to its origin. Default
   * 8 s: with the exchange, less than the gateway waits for a provider.
   */
  readonly connectionWaitMs?: number;
  /** Where a request says nothing else. Default 4 MiB. */
  readonly maxResponseBytes?: number;
  /** Connections to one origin at once. Default 64. */
  readonly connectionsPerOrigin?: number;
  /** Certificate authorities (PEM) in place of the usual ones. */
  readonly ca?: string;
  /** For how long connections are kept. Default: the machine's. */
  readonly clock?: Clock;
}

/** The gateway's HTTP client, with connections of its own. */
export interface EgressHttpClient extends HttpClient {
  /** Ends what is under way and frees connections; idempotent. */
  close(): Promise<void>;
}

/**
 * Builds an HTTP client for the gateway that goes through the egress guard.
 * Close it when done.
 */
export function createEgressHttpClient(
  options: EgressHttpClientOptions,
): EgressHttpClient {
  const { egress, ca, timeoutMs = 10_000 } = options;
  const { connectionWaitMs = 8000 } = options;
  const { maxResponseBytes = 4 * 1024 * 1024 } = options;
  const { connectionsPerOrigin = 64, clock = systemClock } = options;
  const pool = new ConnectionPool({
    ...limitsForBody(maxResponseBytes),
    connect: createEgressConnector(egress, ca === undefined ? {} : { ca }),
    clock,
    // A text that may have been sent is not sent again.
    settleMs: 5,
    maxPerOrigin: connectionsPerOrigin,
    maxIdle: connectionsPerOrigin,
  });

  async function request({ url, signal, ...request }: HttpRequest) {
    signal?.throwIfAborted();
    const { headers = {}, maxResponseBytes: maxBodyBytes = maxResponseBytes } =
      request;
    const target = targetOf(url, headers);
    let isWaiting = true;
    using deadline = new Deadline(connectionWaitMs, signal);
    const exchange = new RequestExchange(pool, {
      ...request,
      headers,
      target,
      maxBodyBytes,
      onConnection: () => {
        // Once: another connection gives it no more time.
        if (isWaiting) deadline.restart(request.timeoutMs ?? timeoutMs);
        isWaiting = false;
      },
    });
    try {
      const answer = await exchange.run(deadline.signal);
      if (answer.isCut) throw new AnswerTooLarge(maxBodyBytes);
      return toResponse(answer);
    } catch (error) {
      signal?.throwIfAborted();
      if (isWaiting && deadline.isOver) {
        throw noConnection(url, connectionWaitMs, error);
      }
      throw toFailure(error, url, exchange.hasBegun);
    }
  }

  return {
    request,
    async close() {
      pool.close();
    },
  };
}

/** Credentials in a header go before those in the URL. */
function targetOf(url: string, headers: RequestHeaders): RequestTarget {
  const target = toRequestTarget(url);
  if (target === undefined) {
    throw notSent(url, "INVALID_REQUEST", "it is no HTTP URL");
  }
  const { origin, path } = target;
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  return names.includes("authorization") ? { origin, path } : target;
}

function toResponse({ status, headers, body }: Answer): HttpResponse {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = String(value);
  }
  return { status, headers: joined, body: new Uint8Array(body) };
}

class AnswerTooLarge extends Error {
  readonly code = "RESPONSE_TOO_LARGE";

  constructor(maxBytes: number) {
    super(`The answer exceeds ${maxBytes} bytes`);
  }
}

/** Nothing was sent: all connections were taken by requests before it. */
function noConnection(
  url: string,
  waitedMs: number,
  cause: unknown,
): ProviderConnectionError {
  return new ProviderConnectionError(
    `No connection to ${originOf(url)} was free for ${waitedMs} ms; nothing was sent`,
    { code: "NO_FREE_CONNECTION", cause },
  );
}

function toFailure(
  error: unknown,
  url: string,
  hasBegun: boolean,
): ProviderConnectionError {
  if (error instanceof EgressRefusedError) {
    return new ProviderConnectionError(error.message, {
      cause: error,
      code: error.code,
    });
  }
  if (error instanceof InvalidHeaderError) {
    return notSent(url, "INVALID_REQUEST", error.message, error);
  }
  return toConnectionError(error, url, { hasBegun });
}
