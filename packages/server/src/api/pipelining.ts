/**
 * Bounds how many requests one connection may have in hand. Node reads 64 KB of
 * pipelined requests at once and begins them all before anybody else's turn: a
 * few connections could keep the event loop busy for seconds.
 */

import type { Socket } from "node:net";
import type { HttpApp } from "./http-app.ts";

/** Requests without an answer on one connection; clients have one or a few. */
export const maxRequestsInHand = 64;

/** Closes connections that send more. To be called before other hooks. */
export function boundPipelining(app: HttpApp): void {
  const inHand = new WeakMap<Socket, number>();

  app.addHook("onRequest", (request, _reply, done) => {
    const { socket } = request.raw;
    const count = (inHand.get(socket) ?? 0) + 1;
    inHand.set(socket, count);
    if (count <= maxRequestsInHand) done();
    // It is not gone on with: nothing more is read, and nothing answered.
    else socket.destroy();
  });
  app.addHook("onResponse", (request, _reply, done) => {
    const { socket } = request.raw;
    inHand.set(socket, (inHand.get(socket) ?? 1) - 1);
    done();
  });
}
