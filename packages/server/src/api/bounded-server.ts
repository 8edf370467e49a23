/**
 * The HTTP server in front of all APIs. It takes requests of one connection one
 * after the other, as their answers go out, and closes connections that send
 * many without waiting: what a client writes without effort may not keep the
 * event loop busy for long.
 */

import type {
  IncomingMessage,
  RequestListener,
  Server,
  ServerOptions,
  ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { boundChunks } from "./bound-chunks.ts";
import { boundRest, maxRestBytes } from "./bound-rest.ts";
import type { MalformedRequests } from "./malformed-request.ts";
import { stopParser } from "./stop-parser.ts";

/** Requests of one connection that wait for the answers before theirs. */
export const maxWaitingRequests = 16;

export function createBoundedServer(
  listener: RequestListener,
  refuse: MalformedRequests["refuse"],
  options: ServerOptions,
): Server {
  const { createServer } = process.getBuiltinModule("node:http");
  const waiting = new WeakMap<Socket, number>();
  // Of the last request. Requests that were parsed from one read get a turn of
  // the event loop each, even where the answers before them are sent.
  let lastSocket: Socket | undefined;
  let lastBytesRead = 0;

  const receive = (
    request: IncomingMessage,
    response: ServerResponse,
    answer: RequestListener,
  ): void => {
    const { headers, socket } = request;
    const isChunked = headers["transfer-encoding"] !== undefined;
    if (isChunked) boundChunks(request, response);
    if (isChunked || Number(headers["content-length"]) > maxRestBytes) {
      boundRest(request, response);
    }
    const { bytesRead } = socket;
    const isNext = socket === lastSocket && bytesRead === lastBytesRead;
    lastSocket = socket;
    lastBytesRead = bytesRead;
    if (response.socket && !isNext) {
      answer(request, response);
      return;
    }
    const count = waiting.get(socket) ?? 0;
    if (count === maxWaitingRequests) {
      stopParser(socket);
      socket.destroy();
      return;
    }
    waiting.set(socket, count + 1);
    const begin = () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      if (!socket.destroyed) answer(request, response);
    };
    // Node gives an answer the socket when its turn has come.
    if (response.socket) setImmediate(begin);
    else response.once("socket", () => setImmediate(begin));
  };

  const server = createServer({
    ...options,
    // Node would answer those itself, however many there are.
    requireHostHeader: false,
  });
  server.on("request", (request, response) =>
    receive(
      request,
      response,
      hasHost(request) ? listener : refuse("REQUEST_INVALID"),
    ),
  );
  server.on("checkExpectation", (request, response) =>
    receive(request, response, refuse("EXPECTATION_UNKNOWN")),
  );
  return server;
}

/** RFC 9112 §3.2: a request of HTTP/1.1 has the header field. */
function hasHost({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion !== "1.1" || headers.host !== undefined;
}
