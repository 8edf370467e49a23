/**
 * A carrier's end of the wire for tests: a real HTTP server that answers as it
 * is told, keeps what it was asked, and fails in the ways in which carriers
 * fail. The carriers beside this file are made of it.
 */

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request as the carrier got it. */
export interface CarrierRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The body as UTF-8. */
  readonly text: string;
}

/** What a carrier answers. */
export interface CarrierAnswer {
  /** Default 200. */
  readonly status?: number;
  /** Default: JSON for an object, else plain text. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and octets go out as they are, anything else as JSON. */
  readonly body?: unknown;
}

/**
 * What goes wrong once a request was read: an answer of other content, none,
 * the end of the connection in place of one or amid one, or one that comes
 * octet by octet and never ends.
 */
export type CarrierFault = CarrierAnswer | "silence" | "cut" | "half" | "drip";

/** A carrier that listens. */
export interface FakeCarrier extends AsyncDisposable {
  /** What is configured in place of the carrier's own address. */
  readonly baseUrl: string;
  /** Oldest first. */
  readonly requests: readonly CarrierRequest[];
  /** For the next request, in place of what the carrier would answer. */
  failNext(fault: CarrierFault): void;
}

/** What a carrier does with a request it can answer. */
export type HandleRequest = (
  request: CarrierRequest,
) => CarrierFault | Promise<CarrierFault>;

const dripMs = 50;

/** Starts on a free port of this machine. */
export async function startFakeCarrier(
  handle: HandleRequest,
): Promise<FakeCarrier> {
  const requests: CarrierRequest[] = [];
  const faults: CarrierFault[] = [];
  const server = createServer(async (incoming, response) => {
    try {
      const body = await buffer(incoming);
      const url = new URL(incoming.url ?? "/", "http://localhost");
      const request: CarrierRequest = {
        method: incoming.method ?? "GET",
        path: url.pathname,
        query: url.searchParams,
        headers: Object.fromEntries(
          Object.entries(incoming.headers).map(([name, value]) => [
            name,
            String(value),
          ]),
        ),
        body,
        text: body.toString(),
      };
      requests.push(request);
      answerWith(response, faults.shift() ?? (await handle(request)));
    } catch {
      // Whoever asked went away, or the carrier's own code failed.
      response.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    requests,
    failNext: (fault) => void faults.push(fault),
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answerWith(response: ServerResponse, fault: CarrierFault): void {
  if (fault === "silence") return;
  if (fault === "cut") return void response.destroy();
  if (fault === "half") {
    response.writeHead(200, { "content-length": "1000" });
    response.write("{", () => response.destroy());
    return;
  }
  if (fault === "drip") {
    response.writeHead(200, { "content-type": "application/json" });
    const timer = setInterval(() => response.write(" "), dripMs);
    response.on("close", () => clearInterval(timer));
    return;
  }
  const { status = 200, headers, body = "" } = fault;
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  response.writeHead(status, {
    "content-type": isRaw ? "text/plain" : "application/json",
    ...headers,
  });
  response.end(isRaw ? body : JSON.stringify(body));
}
