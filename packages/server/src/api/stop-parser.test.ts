import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import { stopParser } from "./stop-parser.ts";

test("a parser goes back to Node as it was, however often it was stopped", async (t) => {
  // Answers nothing.
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  for (const calls of [1, 2, 3]) {
    const client = connect(port, "127.0.0.1").on("error", () => {});
    const requested = once(server, "request");
    client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const [{ socket }] = (await requested) as [IncomingMessage];
    const { parser, slot } = parserOf(socket);
    const before = parser[slot];
    assert.equal(typeof before, "function");
    for (let i = 0; i < calls; i++) stopParser(socket);
    assert.equal(parser[slot], undefined);
    const closed = once(socket, "close");
    client.destroy();
    socket.destroy();
    await closed;
    assert.equal(parser[slot], before, `after ${calls} calls`);
  }
});

/** The socket's parser, and its field for what takes pieces of bodies. */
function parserOf(socket: Socket) {
  const parser: Record<number, unknown> & object = Reflect.get(
    socket,
    "parser",
  );
  const slot: number = Reflect.get(parser.constructor, "kOnBody");
  return { parser, slot };
}
