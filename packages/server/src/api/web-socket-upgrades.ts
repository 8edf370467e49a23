/**
 * Requests that ask for a WebSocket (RFC 6455 §4). Node takes them out of its
 * HTTP server; here they go through the same hooks and routes as all others, so
 * that credentials, refusals and log are the same, and the route that is asked
 * for takes the connection over.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { WebSocket, WebSocketServer } from "ws";
import { RequestError } from "../errors.ts";
import type { HttpApp } from "./http-app.ts";

interface Upgrade {
  readonly socket: Duplex;
  /** What came behind the head of the request. */
  readonly head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** Longest frame of a client, in bytes. */
const maxFrameBytes = 64 * 1024;

/** A client that was told that the server stops gets this long to go. */
const closeGraceMs = 1000;

/** Code 1001 of RFC 6455 §7.4.1: the endpoint goes away. */
const goingAway = 1001;

/** Whether Node is to take the request out of its HTTP server. */
export function isWebSocketRequest({
  method,
  headers,
}: IncomingMessage): boolean {
  return (
    method === "GET" && headers.upgrade?.trim().toLowerCase() === "websocket"
  );
}

/** Takes connections over for routes; one for each server. */
export class WebSockets {
  readonly #open = new Set<WebSocket>();
  #server: Promise<WebSocketServer> | undefined;

  /** To be called once, before the server listens. */
  attach(app: HttpApp): void {
    const { ServerResponse } = process.getBuiltinModule("node:http");
    app.server.on("upgrade", (request, socket, head) => {
      // Node listens no more; an error without a listener would end the process.
      socket.on("error", () => socket.destroy());
      upgrades.set(request, { socket, head });
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      // @ts-expect-error Typed as a Socket; that of a server on TCP is one.
      response.assignSocket(socket);
      // Of an answer that is no upgrade.
      response.once("finish", () => socket.end());
      app.routing(request, response);
    });
    app.addHook("preClose", async () => this.#close());
  }

  /**
   * Completes the handshake, unless it is no request for this subprotocol. The
   * route answers no more.
   *
   * @throws RequestError REQUEST_INVALID
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
    const offered = request.headers["sec-websocket-protocol"] ?? "";
    if (!offered.split(",").some((it) => it.trim() === protocol)) {
      throw new RequestError(
        "REQUEST_INVALID",
        `The subprotocol ${protocol} is expected in Sec-WebSocket-Protocol.`,
      );
    }
    const { WebSocketServer } = await import("ws");
    this.#server ??= Promise.resolve(
      new WebSocketServer({
        noServer: true,
        clientTracking: false,
        perMessageDeflate: false,
        maxPayload: maxFrameBytes,
        handleProtocols: () => protocol,
      }),
    );
    const server = await this.#server;
    const { socket, head } = upgrade;
    reply.hijack();
    detach(reply.raw, socket);
    return await new Promise((resolve) => {
      server.handleUpgrade(request.raw, socket, head, (webSocket) => {
        request.noteAnswer(101);
        this.#open.add(webSocket);
        webSocket.once("close", () => this.#open.delete(webSocket));
        resolve(webSocket);
      });
    });
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

function detach(response: ServerResponse, socket: Duplex): void {
  // @ts-expect-error As above.
  response.detachSocket(socket);
}
