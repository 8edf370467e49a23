import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startTestServer } from "../test-support/test-server.ts";
import { loadConfig } from "./config.ts";
import { open } from "./open.ts";

test("closes while a client is in the middle of a request", {
  timeout: 20_000,
}, async () => {
  const server = await startTestServer();
  const port = await server.listen();
  const socket = connect(port, "127.0.0.1");
  const begun = once(server.app.server, "request");
  socket.write("POST /v2 HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nab");
  await begun;
  const ended = once(socket, "close");
  // Reset, once its time is over.
  socket.on("error", () => {});
  socket.resume();
  await server[Symbol.asyncDispose]();
  await ended;
  assert.ok(socket.destroyed);
});

test("makes no more probes once it closes", async () => {
  const held = Promise.withResolvers<void>();
  let probes = 0;
  const server = await startTestServer({
    probe: async () => {
      probes++;
      await held.promise;
      return { kind: "unanswered" };
    },
  });
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const detect = () =>
    server.call(
      "POST",
      `${server.base}/topics/${server.topicUrn("a")}/detection`,
      { protocol: "http", endpoint: "http://a.example/" },
    );
  for (let n = 0; n < 20; n++) assert.equal((await detect()).status, 200);
  assert.equal(probes, 16);
  await server[Symbol.asyncDispose]();
  held.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(probes, 16);
});

test("says which channel's timeout a lease does not cover", async (t) => {
  const data = await mkdtemp(join(tmpdir(), "carillon-lease-"));
  t.after(() => rm(data, { recursive: true, force: true }));
  const flags = { data, port: 0, leaseMs: 60_000, httpTimeoutMs: 60_000 };
  await assert.rejects(open(loadConfig({ flags })), {
    name: "ConfigError",
    message: /leaseMs: A lease of 60000 ms does not cover .* make the lease/,
  });
});
