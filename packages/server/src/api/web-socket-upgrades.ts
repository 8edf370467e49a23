/**
 * Requests that ask for a WebSocket (RFC 6455 §4). Node takes them out of its
 * HTTP server; here they go through the same hooks and routes as all others, so
 * that credentials, refusals and log are the same, and the route that is asked
 * for takes the connection over.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { WebSocket, WebSocketServer } from "ws";
import { RequestError } from "../errors.ts";
import type { HttpApp } from "./http-app.ts";

interface Upgrade {
  readonly socket: Socket;
  /** What came behind the head of the request. */
  readonly head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** Longest frame of a client, in bytes. */
const maxFrameBytes = 64 * 1024;

/** A client that was told that the server stops gets this long to go. */
const closeGraceMs = 1000;

/** An answer that is no upgrade is to be read within so many milliseconds. */
const refusalGraceMs = 1000;

/** Code 1001 of RFC 6455 §7.4.1: the endpoint goes away. */
const goingAway = 1001;

/**
 * Whether Node is to take the request out of its HTTP server. Others are answered
 * as if they did not ask.
 */
export function isWebSocketRequest({
  method,
  url = "",
  httpVersion,
  headers,
}: IncomingMessage): boolean {
  return (
    method === "GET" &&
    /\/ws\/?(\?|$)/.test(url) &&
    headers.upgrade?.trim().toLowerCase() === "websocket" &&
    // RFC 6455 §4.1.
    httpVersion === "1.1" &&
    headers.host !== undefined
  );
}

/** Takes connections over for routes; one for each server. */
export class WebSockets {
  readonly #allowedOrigins: () => readonly string[];
  readonly #open = new Set<WebSocket>();
  #server: WebSocketServer | undefined;

  /** @param allowedOrigins web pages of these may connect, besides our own */
  constructor(allowedOrigins: () => readonly string[]) {
    this.#allowedOrigins = allowedOrigins;
  }

  /** To be called once, before the server listens. */
  attach(app: HttpApp): void {
    const { ServerResponse } = process.getBuiltinModule("node:http");
    app.server.on("upgrade", (request, socket, head) => {
      // Node listens no more; an error without a listener would end the process.
      socket.on("error", () => socket.destroy());
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      if (!isSocket(socket) || !assignSocket(response, socket)) {
        socket.destroy();
        return;
      }
      upgrades.set(request, { socket, head });
      // Of an answer that is no upgrade: as Node's server ends a connection.
      response.once("finish", () => {
        socket.destroySoon();
        socket.setTimeout(refusalGraceMs, () => socket.destroy());
      });
      app.routing(request, response);
    });
    app.addHook("preClose", async () => this.#close());
  }

  /**
   * Completes the handshake, unless it is no request for this subprotocol. The
   * route answers no more.
   *
   * @throws RequestError REQUEST_INVALID; PERMISSION_DENIED for a page of an origin
   * that is not allowed
   */
  async accept(
    request: FastifyRequest,
    reply: FastifyReply,
    protocol: string,
  ): Promise<WebSocket> {
    const upgrade = upgrades.get(request.raw);
    if (!upgrade) {
      throw new RequestError(
        "REQUEST_INVALID",
        `This is a WebSocket: ask for it with the header fields Connection: Upgrade and Upgrade: websocket, and the subprotocol ${protocol}.`,
      );
    }
    this.#checkOrigin(request);
    const offered = request.headers["sec-websocket-protocol"] ?? "";
    if (!offered.split(",").some((it) => it.trim() === protocol)) {
      throw new RequestError(
        "REQUEST_INVALID",
        `The subprotocol ${protocol} is expected in Sec-WebSocket-Protocol.`,
      );
    }
    const { WebSocketServer } = await import("ws");
    this.#server ??= new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxFrameBytes,
      handleProtocols: () => protocol,
    });
    const { socket, head } = upgrade;
    const webSocket = upgradeWith(this.#server, request.raw, socket, head);
    reply.hijack();
    reply.raw.detachSocket(socket);
    request.noteAnswer(101);
    this.#open.add(webSocket);
    webSocket.once("close", () => this.#open.delete(webSocket));
    return webSocket;
  }

  /** Credentials that a browser keeps would be sent for any page. */
  #checkOrigin({ headers }: FastifyRequest): void {
    const { origin, host } = headers;
    if (origin === undefined) return;
    const allowed = this.#allowedOrigins();
    const isOwn = origin.replace(/^https?:\/\//, "") === host;
    if (isOwn || allowed.includes("*") || allowed.includes(origin)) return;
    throw new RequestError(
      "PERMISSION_DENIED",
      "Pages of this Origin may not connect: `allowedOrigins` of the configuration does not name it.",
    );
  }

  /** Tells all, and cuts those that do not go. */
  async #close(): Promise<void> {
    const open = [...this.#open];
    if (open.length === 0) return;
    for (const webSocket of open) webSocket.close(goingAway);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, closeGraceMs);
    let left = open.length;
    for (const webSocket of open) {
      webSocket.once("close", () => {
        left--;
        if (left === 0) resolve();
      });
    }
    await promise;
    clearTimeout(timer);
    for (const webSocket of open) webSocket.terminate();
  }
}

/**
 * Answers the handshake.
 *
 * @throws RequestError REQUEST_INVALID; then nothing is sent
 */
function upgradeWith(
  server: WebSocketServer,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): WebSocket {
  let problem = "The connection is closed";
  let upgraded: WebSocket | undefined;
  const onRefusal = (error: Error) => {
    problem = error.message;
  };
  // All of it happens before the call returns.
  server.on("wsClientError", onRefusal);
  server.handleUpgrade(request, socket, head, (webSocket) => {
    upgraded = webSocket;
  });
  server.off("wsClientError", onRefusal);
  if (upgraded) return upgraded;
  throw new RequestError("REQUEST_INVALID", `${problem}.`);
}

/** That of a server on TCP is one. */
function isSocket(socket: Duplex): socket is Socket {
  return "destroySoon" in socket;
}

/** False: answers to requests before this one are still to be sent. */
function assignSocket(response: ServerResponse, socket: Socket): boolean {
  try {
    response.assignSocket(socket);
    return true;
  } catch {
    return false;
  }
}
