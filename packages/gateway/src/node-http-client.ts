/**
 * The default HTTP client, over Node's own `node:http`. It takes interim
 * answers (1xx) that were not asked for, as RFC 9110 §15.2 demands; Node's
 * `fetch` breaks the connection at a 100, and the carrier has the text then.
 */

import type * as Http from "node:http";
import { Deadline } from "./deadline.ts";
import {
  answerTooLarge,
  checkRequest,
  createFetchHttpClient,
  type HttpClient,
  type HttpClientOptions,
  type HttpRequest,
  type HttpResponse,
  toConnectionError,
} from "./http.ts";
import { readAtMost } from "./read-body.ts";

type Scheme = "http" | "https";

/**
 * Builds the client that a gateway has by default. Connections are kept for the
 * next request. Where there is no `node:http` it is the one over `fetch`.
 */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  // Not imported: bundles for other runtimes would look for it.
  const builtin = globalThis.process?.getBuiltinModule;
  if (builtin === undefined) return createFetchHttpClient(options);
  const agents: Partial<Record<Scheme, Http.Agent>> = {};
  const { timeoutMs = 10_000, maxResponseBytes = 4 * 1024 * 1024 } = options;
  return {
    async request(request) {
      checkRequest(request);
      using deadline = new Deadline(
        request.timeoutMs ?? timeoutMs,
        request.signal,
      );
      const { signal } = deadline;
      const url = new URL(request.url);
      const scheme = url.protocol === "https:" ? "https" : "http";
      // With the first request: it takes 20 ms to load.
      const http = builtin(`node:${scheme}`);
      agents[scheme] ??= createAgent(http);
      let pending: PendingRequest | undefined;
      try {
        pending = new PendingRequest(
          http.request(url, {
            method: request.method,
            headers: { ...request.headers },
            agent: agents[scheme],
            signal,
          }),
        );
        return await read(
          await pending.send(request.body),
          request,
          request.maxResponseBytes ?? maxResponseBytes,
        );
      } catch (error) {
        pending?.abandon();
        request.signal?.throwIfAborted();
        throw toConnectionError(
          deadline.isOver ? signal.reason : error,
          request.url,
          { hasBegun: pending?.hasBegun ?? false },
        );
      }
    },
  };
}

/**
 * Keeps connections, and gives each out again only after a moment: servers close
 * them after an answer without saying so in it, and the outcome of what is sent
 * just then is unknown.
 */
function createAgent({
  Agent,
  globalAgent,
}: Pick<typeof Http, "Agent" | "globalAgent">): Http.Agent {
  class SettlingAgent extends Agent {
    override createConnection(
      ...args: Parameters<Http.Agent["createConnection"]>
    ) {
      const socket = super.createConnection(...args);
      // While it is nobody's; it is closed by then.
      socket?.on("error", () => {});
      return socket;
    }

    override emit(event: string, ...args: unknown[]): boolean {
      if (event !== "free") return super.emit(event, ...args);
      setTimeout(() => super.emit(event, ...args), settlingMs);
      return true;
    }
  }
  // Among them the proxies of the environment, if Node was told to use them.
  return new SettlingAgent(Reflect.get(globalAgent, "options"));
}

const settlingMs = 5;

/** Those of a request that are borne. */
const maxInterimAnswers = 32;

function noFinalAnswer(): Error {
  return Object.assign(new Error("Interim answers without a final one"), {
    code: "INTERIM_ANSWERS_EXCEEDED",
  });
}

/** A request up to the header of its answer. */
class PendingRequest {
  /** Whether there is a connection for it: from here on it may arrive. */
  hasBegun = false;
  readonly #sent: Http.ClientRequest;

  constructor(sent: Http.ClientRequest) {
    this.#sent = sent;
  }

  /** Resolves with the header of the final answer. */
  send(body: HttpRequest["body"]): Promise<Http.IncomingMessage> {
    const sent = this.#sent;
    const begin = () => {
      this.hasBegun = true;
    };
    return new Promise((resolve, reject) => {
      let interimAnswers = 0;
      sent.on("information", () => {
        if (++interimAnswers <= maxInterimAnswers) return;
        // First: of a final answer in the same read there is an event yet.
        reject(noFinalAnswer());
        sent.destroy();
      });
      sent.on("response", resolve);
      sent.on("error", reject);
      sent.on("close", () => reject(new Error("The connection was closed")));
      sent.on("socket", (socket) => {
        if (sent.reusedSocket) begin();
        else if ("encrypted" in socket) socket.once("secureConnect", begin);
        else socket.once("connect", begin);
      });
      sent.end(body);
    });
  }

  /** Closes its connection, if it has one. */
  abandon(): void {
    this.#sent.destroy();
  }
}

async function read(
  response: Http.IncomingMessage,
  { url }: HttpRequest,
  maxBytes: number,
): Promise<HttpResponse> {
  const { statusCode: status = 0 } = response;
  // Node takes 101 for an answer.
  if (status < 200)
    throw new Error(`The server switched protocols (${status})`);
  const body = await readAtMost(response, maxBytes);
  if (body === undefined) throw answerTooLarge(url, maxBytes);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = String(value);
  }
  return { status, headers, body };
}
