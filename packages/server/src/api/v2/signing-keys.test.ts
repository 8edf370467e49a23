import assert from "node:assert/strict";
import { test } from "node:test";
import {
  certificateId,
  startTestServer,
} from "../../../test-support/test-server.ts";

test("shows the certificates and rotates on demand", async () => {
  await using server = await startTestServer();
  const { status, body } = await server.call("GET", "/api/v2/signing-keys");
  assert.equal(status, 200);
  const [key] = body.signingKeys;
  assert.equal(key.certificateId, certificateId);
  assert.equal(key.current, true);
  assert.equal(key.notBefore, "1970-01-01T00:00:00.000Z");
  assert.equal(key.privateKey, undefined);
  const rotated = await server.call("POST", "/api/v2/signing-keys/rotate");
  assert.deepEqual(rotated.body, { certificateId });
});

test("is for operators", async () => {
  await using server = await startTestServer();
  const { id } = (await server.call("POST", "/api/v2/users", { name: "ann" }))
    .body;
  const token = await server.identity.tokens.issue({
    userId: id,
    methods: ["password"],
  });
  for (const [method, url] of [
    ["GET", "/api/v2/signing-keys"],
    ["POST", "/api/v2/signing-keys/rotate"],
  ] as const) {
    const headers = { "x-auth-token": token };
    const refused = await server.app.inject({ method, url, headers });
    assert.equal(refused.statusCode, 403);
  }
});
