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

const stopped = new WeakSet<Socket>();

/**
 * No further request begins, no further piece of a body arrives, and whatever
 * the client sends from then on is thrown away. Idempotent. In a version of
 * Node.js whose parser lacks the fields, the rest of the read that is being
 * parsed is lost to this: its requests and pieces of bodies still arrive.
 */
export function stopParser(socket: Socket): void {
  if (stopped.has(socket)) return;
  stopped.add(socket);
  const { parser } = socket as HttpSocket;
  if (parser) {
    parser.onIncoming = () => -1;
    const slot = parser.constructor.kOnBody;
    if (slot !== undefined) {
      const onBody = parser[slot];
      parser[slot] = undefined;
      // Node keeps parsers for other connections.
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
