/**
 * What of a body is left when its request is answered, Node reads and throws
 * away, to take the next request of the connection: without end, if it has none.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { stopParser } from "./stop-parser.ts";

/** So much of a rest is thrown away before the connection is closed, in bytes. */
export const maxRestBytes = 64 * 1024;

/** Closes the connection when the rest is longer. */
export function boundRest(
  request: IncomingMessage,
  response: ServerResponse,
): void {
  // Before Node's own listener, which would let nobody see the rest.
  response.prependOnceListener("finish", () => {
    let bytes = 0;
    request.on("data", (piece: Uint8Array) => {
      bytes += piece.length;
      if (bytes <= maxRestBytes) return;
      stopParser(request.socket);
      request.socket.destroy();
    });
  });
}
