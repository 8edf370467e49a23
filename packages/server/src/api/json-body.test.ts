import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../test-support/test-server.ts";

test("passes over a byte order mark, and over nothing else", async () => {
  await using server = await startTestServer();
  const { app, base, authorization } = server;
  const post = async (payload: string | Buffer) => {
    const response = await app.inject({
      method: "POST",
      url: `${base}/topics`,
      headers: { authorization, "content-type": "application/json" },
      payload,
    });
    return response.statusCode;
  };
  assert.equal(await post('\ufeff{"name":"a"}'), 201);
  assert.equal(await post('\ufeff\ufeff{"name":"b"}'), 400);
  assert.equal(await post('{"name":"c"}\ufeff'), 400);
  assert.equal(await post("\ufeff"), 400);
  assert.equal(await post(Buffer.from('\ufeff{"name":"d"}', "utf16le")), 400);
});
