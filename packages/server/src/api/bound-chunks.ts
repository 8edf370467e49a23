/**
 * A body may not come in more chunks than its bytes are worth: `1\r\nx\r\n` again
 * and again costs a hundred times as much as the same text in one piece.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { RequestError } from "../errors.ts";
import { stopParser } from "./stop-parser.ts";

/** Chunks of a body that may be of any size. */
export const freeChunks = 64;

/** Bytes that each further chunk has, on the average of the body. */
export const bytesPerChunk = 128;

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
  let bytes = 0;
  let chunks = 0;
  let readBytes = -1;
  let isRefused = false;

  // Node calls it with each piece of the body, and with null at its end.
  request.push = (piece: Uint8Array | null) => {
    if (piece !== null && !isRefused) {
      bytes += piece.length;
      // The first of each read is not counted: where the network cuts a body to
      // pieces, one comes with each read, whatever its framing.
      const { bytesRead } = socket;
      if (bytesRead === readBytes) chunks++;
      else readBytes = bytesRead;
      if (chunks > freeChunks + bytes / bytesPerChunk) refuse();
    }
    // Not even the end: what was cut may not be taken for the whole.
    return isRefused || push(piece);
  };
  // What is not read by then Node would throw away before it is counted.
  response.prependOnceListener("finish", () => request.on("data", () => {}));

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
