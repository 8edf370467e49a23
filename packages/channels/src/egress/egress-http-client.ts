/**
 * The gateway's HTTP client, behind the egress guard: how SMS providers
 * reach their carriers. Keeps connections, follows no redirects, and knows
 * whether a request that failed had begun to be sent: only then may the
 * carrier have it.
 */

import {
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  ProviderConnectionError,
  toConnectionError,
} from "@carillon/gateway";
import type { Agent, Dispatcher } from "undici";
import { LazyPart } from "../lazy-part.ts";
import { toRequestTarget } from "../request-target.ts";
import {
  createEgressConnector,
  type EgressConnector,
} from "./egress-connector.ts";
import { type EgressGuard, EgressRefusedError } from "./egress-guard.ts";

/** Limits of the client; each has a default but the guard. */
export interface EgressHttpClientOptions {
  readonly egress: EgressGuard;
  /** For the whole exchange, where a request says nothing else. Default 10 s. */
  readonly timeoutMs?: number;
  /** Where a request says nothing else. Default 4 MiB. */
  readonly maxResponseBytes?: number;
  /** Connections to one origin at once. Default 64. */
  readonly connectionsPerOrigin?: number;
  /** Certificate authorities (PEM) in place of the usual ones. */
  readonly ca?: string;
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
  const { maxResponseBytes = 4 * 1024 * 1024 } = options;
  const connect = createEgressConnector(egress, {
    maxResponseBytes,
    ...(ca !== undefined && { ca }),
  });
  const agent = new LazyPart(
    async () => {
      const { Agent } = await import("undici");
      return new Agent({
        connect: withDeadline(connect, timeoutMs),
        connections: options.connectionsPerOrigin ?? 64,
        allowH2: false,
        // The request has one deadline for all of it.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    },
    (opened) => opened.destroy(),
  );

  return {
    async request(request) {
      const opened = await agent.get();
      request.signal?.throwIfAborted();
      const deadline = AbortSignal.timeout(request.timeoutMs ?? timeoutMs);
      const signal = request.signal
        ? AbortSignal.any([request.signal, deadline])
        : deadline;
      const exchange = new Exchange(
        request,
        request.maxResponseBytes ?? maxResponseBytes,
      );
      try {
        return await exchange.run(opened, signal);
      } catch (error) {
        request.signal?.throwIfAborted();
        throw toFailure(error, request.url, exchange.hasBegun);
      }
    },
    close: () => agent.close(),
  };
}

/** A connection that nobody answers to must not wait for the system's end. */
function withDeadline(
  connect: EgressConnector,
  timeoutMs: number,
): EgressConnector {
  return (options, callback) => {
    const socket = connect(options, (...answer) => {
      clearTimeout(timer);
      callback(...answer);
    });
    const timer = setTimeout(() => {
      const error = new Error("The connection was not accepted in time");
      socket?.destroy(
        Object.assign(error, { code: "UND_ERR_CONNECT_TIMEOUT" }),
      );
    }, timeoutMs);
    timer.unref();
    return socket;
  };
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  /** Whether a connection started on it: from here on it may arrive. */
  hasBegun = false;
  readonly #request: HttpRequest;
  readonly #maxBytes: number;
  readonly #done = Promise.withResolvers<HttpResponse>();
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Record<string, string> = {};
  readonly #chunks: Buffer[] = [];
  #received = 0;
  #failure: Error | undefined;

  constructor(request: HttpRequest, maxBytes: number) {
    this.#request = request;
    this.#maxBytes = maxBytes;
  }

  async run(agent: Agent, signal: AbortSignal): Promise<HttpResponse> {
    const { url, method, headers = {}, body } = this.#request;
    const target = toRequestTarget(url);
    if (target === undefined) throw new TypeError("The request has no URL");
    const { origin, path, authorization } = target;
    const abort = () => this.#fail(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      agent.dispatch(
        {
          origin,
          path,
          method,
          headers: {
            ...(authorization !== undefined && { authorization }),
            ...headers,
          },
          body: body ?? null,
        },
        this,
      );
      return await this.#done.promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it waited for its connection: nothing is sent.
    if (this.#failure) controller.abort(this.#failure);
    else this.hasBegun = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) this.#headers[name] = String(value);
    }
  }

  onResponseData(
    _controller: Dispatcher.DispatchController,
    chunk: Buffer,
  ): void {
    this.#received += chunk.length;
    if (this.#received <= this.#maxBytes) this.#chunks.push(chunk);
    else this.#fail(new AnswerTooLarge(this.#maxBytes));
  }

  onResponseEnd(): void {
    this.#done.resolve({
      status: this.#status,
      headers: this.#headers,
      body: new Uint8Array(Buffer.concat(this.#chunks)),
    });
  }

  onResponseError(
    _controller: Dispatcher.DispatchController,
    error: Error,
  ): void {
    this.#done.reject(this.#failure ?? error);
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#done.reject(error);
    // Its connection goes with it: what is left of an answer is nobody's.
    this.#controller?.abort(error);
  }
}

class AnswerTooLarge extends Error {
  readonly code = "RESPONSE_TOO_LARGE";

  constructor(maxBytes: number) {
    super(`The answer exceeds ${maxBytes} bytes`);
  }
}

/** What never had a connection surely did not arrive. */
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
  const failure = toConnectionError(error, url);
  if (hasBegun || !failure.outcomeUnknown) return failure;
  return new ProviderConnectionError(failure.message, {
    cause: error,
    ...(failure.code !== undefined && { code: failure.code }),
  });
}
