/**
 * Ends what Node's HTTP parser does with a connection. Node parses all of a read
 * of 64 KB before anything else happens, and goes on when the socket is destroyed
 * or the parser paused; it offers no other way than its parser's own fields.
 */

import type { Socket } from "node:net";

/** What is used of the parser of a socket of Node's HTTP server. */
interface HttpSocket extends Socket {
  readonly parser?: Record<number, unknown> & {
    /** Called when the head of a request is here; negative: an error. */
    onIncoming: () => number;
    readonly constructor: { readonly kOnBody?: number };
  };
}

/**
 * No further request begins, no further piece of a body arrives, and whatever
 * else is sent is thrown away. Without the parser's fields, as another Node.js
 * may be, only the last holds: see the tests.
 */
export function stopParser(socket: Socket): void {
  const { parser } = socket as HttpSocket;
  if (parser) {
    parser.onIncoming = () => -1;
    const slot = parser.constructor.kOnBody;
    if (slot !== undefined) {
      const onBody = parser[slot];
      parser[slot] = undefined;
      // Node uses parsers again.
      socket.once("close", () => {
        parser[slot] = onBody;
      });
    }
  }
  // With a listener of ours the parser gets none of the next reads.
  for (const parse of socket.listeners("data")) {
    socket.off("data", parse as () => void);
  }
  socket.on("data", () => {});
}
