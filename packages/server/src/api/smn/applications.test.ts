import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

test("mobile push answers 501 and what to use instead", async () => {
  await using server = await startTestServer();
  const { base, complaints } = server;
  const application = "urn:smn:test-1:0f:application:HMS:shop";
  const endpoint = "urn:smn:test-1:0f:endpoint:HMS:shop:1";
  for (const [method, path] of [
    ["POST", "/applications"],
    ["GET", "/applications?limit=10"],
    ["GET", `/applications/${application}`],
    ["PUT", `/applications/${application}`],
    ["DELETE", `/applications/${application}`],
    ["POST", `/applications/${application}/endpoints`],
    ["GET", `/applications/${application}/endpoints`],
    ["GET", `/endpoints/${endpoint}`],
    ["PUT", `/endpoints/${endpoint}`],
    ["DELETE", `/endpoints/${endpoint}`],
    ["POST", `/endpoints/${endpoint}/publish`],
  ] as const) {
    const { status, body } = await server.call(method, `${base}${path}`);
    assert.equal(status, 501, `${method} ${path}`);
    assert.equal(body.error_msg, body.message);
    assert.match(body.message, /https endpoint/);
    assert.match(body.request_id, /^[0-9a-f]{32}$/);
    const unknown = await server.app.inject({ method, url: `${base}${path}` });
    assert.equal(unknown.statusCode, 401);
  }
  assert.deepEqual(complaints, []);
});
