import assert from "node:assert/strict";
import { test } from "node:test";
import { CarillonError } from "@carillon/core";
import { startMetricsServer } from "./metrics-server.ts";

const text = async () => "carillon_build_info 1\n";
const here = { host: "127.0.0.1", port: 0 };
const token = "0123456789abcdef";

test("shows metrics, and nothing else", async () => {
  await using server = await startMetricsServer(text, here);
  const url = `http://127.0.0.1:${server.port}`;
  const answer = await fetch(`${url}/metrics?x=1`);
  assert.equal(answer.status, 200);
  assert.match(
    answer.headers.get("content-type") ?? "",
    /^text\/plain; version/,
  );
  assert.equal(await answer.text(), await text());
  for (const [method, path, status] of [
    ["HEAD", "/metrics", 200],
    ["POST", "/metrics", 405],
    ["GET", "/", 404],
    ["GET", "/healthz", 404],
    ["GET", "/api/v2/messages", 404],
  ] as const) {
    const { status: given } = await fetch(`${url}${path}`, { method });
    assert.equal(given, status, `${method} ${path}`);
  }
});

test("demands the token if there is one", async () => {
  await using server = await startMetricsServer(text, { ...here, token });
  const ask = async (authorization?: string) =>
    (
      await fetch(`http://127.0.0.1:${server.port}/metrics`, {
        headers: authorization === undefined ? {} : { authorization },
      })
    ).status;
  assert.equal(await ask(), 401);
  assert.equal(await ask(token), 401);
  assert.equal(await ask(`Bearer ${token}x`), 401);
  assert.equal(await ask(`Bearer ${token.slice(1)}`), 401);
  assert.equal(await ask(`Bearer ${token}`), 200);
  assert.equal(await ask(`bearer ${token}`), 200);
});

test("says 503 while they cannot be read", async () => {
  await using server = await startMetricsServer(async () => {
    throw new CarillonError("STORAGE_UNAVAILABLE");
  }, here);
  const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  assert.equal(answer.status, 503);
});

test("a port that is taken is an error, and closing it frees it", async () => {
  const first = await startMetricsServer(text, here);
  const { port } = first;
  await assert.rejects(startMetricsServer(text, { ...here, port }), {
    code: "EADDRINUSE",
  });
  await first[Symbol.asyncDispose]();
  await using again = await startMetricsServer(text, { ...here, port });
  assert.equal(again.port, port);
});
