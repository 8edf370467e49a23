import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { checkCredentials } from "./credentials.ts";

test("a key that the server refuses is found", async (t) => {
  const good = `Basic ${btoa("AK:SK")}`;
  const server = createServer(({ url, headers }, response) => {
    assert.equal(url, "/api/v2/whoami");
    response.statusCode = headers.authorization === good ? 200 : 401;
    response.end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const place = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pair = { accessKey: "AK", secretKey: "SK" };
  assert.equal((await checkCredentials(pair, place)).result, "ok");
  const stale = await checkCredentials({ ...pair, secretKey: "no" }, place);
  assert.equal(stale.result, "warning");
  assert.match(stale.advice ?? "", /CARILLON_ACCESS_KEY/);
  assert.equal((await checkCredentials(undefined, place)).result, "skipped");
  assert.equal((await checkCredentials(pair, undefined)).result, "skipped");
});
