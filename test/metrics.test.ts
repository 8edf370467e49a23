/** Metrics of a whole server, on its port and on one of their own. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CarillonProcess } from "./harness/carillon-process.ts";

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "carillon-metrics-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test("metrics have a port of their own, with the sizes of the database", async (t) => {
  const token = "0123456789abcdef";
  await using server = await CarillonProcess.start({
    data: await folder(t),
    args: ["--metrics-port", "0"],
    env: { CARILLON_METRICS_TOKEN: token },
  });
  const started = server.stderr
    .split("\n")
    .map((line) => JSON.parse(line))
    .find(({ event }) => event === "started");
  const url = `http://127.0.0.1:${started.metricsPort}/metrics`;
  assert.equal((await fetch(url)).status, 401);
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
  });
  const text = await answer.text();
  for (const name of [
    'carillon_database_bytes{file="database"}',
    'carillon_database_bytes{file="wal"}',
    "carillon_disk_free_bytes",
    "process_resident_memory_bytes",
  ]) {
    const line = text.split("\n").find((it) => it.startsWith(`${name} `));
    assert.ok(Number(line?.split(" ").at(-1)) > 0, name);
  }
  assert.equal((await fetch(`${server.url}/metrics`)).status, 200);
  assert.equal(await server.stop(), 0);
  await assert.rejects(fetch(url));
});

test("a port of metrics that is taken is a mistake by name", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const address = other.address();
  assert.ok(address !== null && typeof address === "object");
  await assert.rejects(
    CarillonProcess.start({
      data: await folder(t),
      args: ["--metrics-port", String(address.port)],
    }),
    (error: Error) => {
      assert.match(error.message, /ended \(2\)/);
      const last = error.message.split("\n").at(-1) ?? "";
      const { event, message } = JSON.parse(last);
      assert.equal(event, "start_failed");
      assert.match(
        message,
        new RegExp(`metricsPort.*${address.port}.*uses it`),
      );
      return true;
    },
  );
});
