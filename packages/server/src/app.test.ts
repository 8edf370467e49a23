import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { startTestServer } from "../test-support/test-server.ts";

for (const [what, sent] of [
  ["headers", "GET /v2 HTTP/1.1\r\nHost: x\r\n"],
  [
    "body",
    "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
  ],
] as const) {
  test(`a client that does not finish its ${what} is let go when its time is over`, {
    timeout: 15_000,
  }, async () => {
    await using server = await startTestServer({ requestTimeoutMs: 300 });
    const socket = connect(await server.listen(), "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    const began = performance.now();
    socket.write(sent);
    await once(socket, "close");
    assert.match(answer, /^HTTP\/1\.1 408 /);
    const took = performance.now() - began;
    assert.ok(took >= 290, `${took} ms`);
  });
}

test("a client has a minute to send its request", async () => {
  await using server = await startTestServer();
  const { requestTimeout, headersTimeout } = server.app.server;
  assert.deepEqual([requestTimeout, headersTimeout], [60_000, 60_000]);
});
