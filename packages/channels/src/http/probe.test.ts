import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { systemClock } from "@carillon/core";
import { createEgressGuard } from "../egress/egress-guard.ts";
import { createHttpProbe } from "./probe.ts";

async function startServer(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook?a=b`,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface ProbeOptions {
  readonly timeoutMs?: number;
  readonly allow?: boolean;
  readonly signal?: AbortSignal;
}

function probeTo(
  url: string,
  { timeoutMs = 5000, allow = true, signal }: ProbeOptions = {},
) {
  const egress = createEgressGuard({
    allowTargets: allow ? ["127.0.0.0/8"] : [],
  });
  const probe = createHttpProbe({ egress, clock: systemClock, timeoutMs });
  const request = {
    url,
    headers: { "x-team": "ops" },
    topicUrn: "urn:smn:a",
  };
  return probe(request, signal);
}

test("posts once and answers status and the body's beginning", async () => {
  const requests: unknown[] = [];
  using server = await startServer((request, response) => {
    requests.push([
      request.method,
      request.url,
      request.headers["x-team"],
      request.headers["x-smn-message-type"],
    ]);
    response.statusCode = 302;
    response.setHeader("location", "http://127.0.0.1:1/");
    response.end(`moved\n${"x".repeat(5000)}`);
  });
  const result = await probeTo(server.url);
  assert.ok(result.kind === "answered");
  assert.equal(result.statusCode, 302);
  assert.match(result.text, /^moved x+$/);
  assert.ok(result.text.length <= 1024);
  assert.deepEqual(requests, [["POST", "/hook?a=b", "ops", "Detection"]]);
});

test("sends a URL's user info as Basic authentication", async () => {
  const requests: unknown[] = [];
  using server = await startServer((request, response) => {
    requests.push([request.url, request.headers.authorization]);
    response.end();
  });
  const url = `${server.url.replace("//", "//user:secret@")}'`;
  assert.equal((await probeTo(url)).kind, "answered");
  const credentials = Buffer.from("user:secret").toString("base64");
  assert.deepEqual(requests, [["/hook?a=b'", `Basic ${credentials}`]]);
});

test("answers none of the secrets that the endpoint quotes", async () => {
  using server = await startServer((request, response) => {
    response.statusCode = 404;
    response.end(`no ${request.url} for ${request.headers.authorization}`);
  });
  const url = server.url
    .replace("//", "//user:secret@")
    .replace("a=b", "key=0123456789");
  const result = await probeTo(url);
  assert.ok(result.kind === "answered");
  assert.equal(result.text, "no ***?*** for Basic ***");
});

test("gives up on who does not answer, or stops midway", async () => {
  using silent = await startServer(() => {});
  using halting = await startServer((_, response) => {
    response.write("half of");
  });
  for (const { url } of [silent, halting]) {
    const result = await probeTo(url, { timeoutMs: 100 });
    assert.deepEqual(result, { kind: "unanswered" });
  }
});

test("an abort closes the connection, and is no answer", async () => {
  const arrived = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let requests = 0;
  using silent = await startServer((request) => {
    requests++;
    request.socket.once("close", () => closed.resolve());
    arrived.resolve();
  });
  const stop = new AbortController();
  const { signal } = stop;
  const probing = probeTo(silent.url, { timeoutMs: 60_000, signal });
  await arrived.promise;
  stop.abort();
  assert.deepEqual(await probing, { kind: "unanswered" });
  await closed.promise;
  assert.deepEqual(await probeTo(silent.url, { signal }), {
    kind: "unanswered",
  });
  assert.equal(requests, 1);
});

test("nobody there is no answer", async () => {
  const { url } = await startServer(() => {}).then((server) => {
    server[Symbol.dispose]();
    return server;
  });
  assert.deepEqual(await probeTo(url), { kind: "unanswered" });
});

test("does not go where the guard forbids", async () => {
  let isReached = false;
  using server = await startServer(() => {
    isReached = true;
  });
  const result = await probeTo(server.url, { allow: false });
  assert.equal(result.kind, "refused");
  assert.equal(isReached, false);
});
