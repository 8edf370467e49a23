import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { isSandbox } from "./running-sandbox.ts";

test("a server with a mailbox of the sandbox is one", async (t) => {
  const server = createServer(({ url, headers }, response) => {
    const isKnown = headers.authorization === `Basic ${btoa("A:S")}`;
    const isThere = url === "/api/v2/sandbox/mails?limit=1";
    response.statusCode = isThere ? (isKnown ? 200 : 401) : 404;
    response.end();
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keys = { accessKey: "A", secretKey: "S" };
  assert.equal(await isSandbox(keys, url), true);
  assert.equal(await isSandbox(keys, `${url}/other`), false);
  assert.equal(await isSandbox({ ...keys, secretKey: "T" }, url), false);
  assert.equal(await isSandbox(undefined, url), false);
  assert.equal(await isSandbox(keys, undefined), false);
  assert.equal(await isSandbox(keys, "http://127.0.0.1:1"), false);
  await assert.rejects(
    isSandbox(keys, url, { signal: AbortSignal.abort(new Error("stopped")) }),
    /stopped/,
  );
});
