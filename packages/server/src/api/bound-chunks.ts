/** Refuses bodies in more chunks than their bytes are worth. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { ChunkCount } from "@carillon/gateway";
import { RequestError } from "../errors.ts";
import { stopParser } from "./stop-parser.ts";

/**
 * Refuses the body of the request, which is chunked, when it comes in too many:
 * whoever reads it, now or later, gets the error BODY_FRAGMENTED. The connection
 * is closed after the answer, or at once if that has begun.
 */
export function boundChunks(
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { socket } = request;
  const push = request.push.bind(request);
  const chunks = new ChunkCount(socket);
  let isRefused = false;

  // Node calls it with each piece of the body, and with null at its end.
  request.push = (piece: Uint8Array | null) => {
    if (piece !== null && !isRefused && !chunks.add(piece)) refuse();
    // Not even the end: what was cut may not be taken for the whole.
    return isRefused || push(piece);
  };

  const refuse = () => {
    isRefused = true;
    stopParser(socket);
    if (response.headersSent) {
      socket.destroy();
      return;
    }
    response.setHeader("connection", "close");
    if (request.listenerCount("error") > 0) {
      fail();
      return;
    }
    const onListener = (event: string) => {
      if (event !== "error") return;
      request.off("newListener", onListener);
      process.nextTick(fail);
    };
    request.on("newListener", onListener);
  };
  const fail = () => request.emit("error", new RequestError("BODY_FRAGMENTED"));
}
