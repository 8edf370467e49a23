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

test("refuses half of a surrogate pair, which is written as an escape", async () => {
  await using server = await startTestServer();
  const { app, base, authorization } = server;
  const post = async (url: string, payload: string) => {
    const response = await app.inject({
      method: "POST",
      url,
      headers: { authorization, "content-type": "application/json" },
      payload,
    });
    return { status: response.statusCode, body: response.json() };
  };
  const says = (half: string) =>
    `The body has half of a surrogate pair (\\u${half}); send whole characters.`;
  for (const [payload, half] of [
    ['{"text":"a\\ud800"}', "d800"],
    ['{"text":"a\\uDFFFb"}', "dfff"],
    ['{"text":"\\ude00\\ud83d"}', "de00"],
    ['{"text":"x","extraData":{"a":[{"b\\udbff":1}]}}', "dbff"],
  ] as const) {
    const { status, body } = await post("/api/v2/messages", payload);
    assert.deepEqual(
      [status, body.code, body.detail],
      [400, "BODY_MALFORMED", says(half)],
      payload,
    );
    const smn = await post(`${base}/topics`, payload.replace("text", "name"));
    assert.deepEqual(
      [smn.status, smn.body.error_code, smn.body.error_msg],
      [400, "APIGW.0201", says(half)],
    );
  }
  const topic = (name: string) =>
    post(`${base}/topics`, `{"name":"a","display_name":"${name}"}`);
  assert.equal((await topic("\\uD83D\\uDE00")).status, 201);
  // A backslash, then letters.
  assert.equal((await topic("\\\\ud800")).status, 200);
});
