import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { startTestServer } from "../../test-support/test-server.ts";
import { maxRequestsInHand } from "./pipelining.ts";

test("a connection has so many requests in hand, and one with more is closed", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  const pipelined = async (requests: number) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    const closed = once(socket, "close");
    const head = "GET /healthz HTTP/1.1\r\nHost: h\r\n";
    socket.write(
      `${`${head}\r\n`.repeat(requests - 1)}${head}Connection: close\r\n\r\n`,
    );
    await closed;
    return text.split("HTTP/1.1 200").length - 1;
  };
  assert.equal(await pipelined(maxRequestsInHand), maxRequestsInHand);
  assert.ok((await pipelined(1000)) <= maxRequestsInHand);
  // Requests one after the other are never too many.
  for (let n = 0; n < 2 * maxRequestsInHand; n++) {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    assert.equal(response.status, 200);
    await response.text();
  }
});
