import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../connection.ts";
import { AuthenticationError, InvalidOptionsError } from "../errors.ts";
import { refusal, serve } from "../testing/serve.ts";

const projectId = "0f3c5d1e2a4b46788899aabbccddeeff";

test("sends the token it was given", async () => {
  await using server = await serve(() => ({ body: { topics: [] } }));
  const { smn } = connect({ endpoint: server.url, projectId, token: "t1" });
  await Array.fromAsync(smn.topics());
  assert.equal(server.requests[0]?.headers["x-auth-token"], "t1");
});

test("a token that is a text cannot be renewed", async () => {
  await using server = await serve(() => refusal(401, "APIGW.0301"));
  const { smn } = connect({ endpoint: server.url, projectId, token: "t1" });
  await assert.rejects(smn.getTopic("urn:x"), AuthenticationError);
  assert.equal(server.requests.length, 1);
});

test("asks a function for a token, and once more after a 401", async () => {
  await using server = await serve(({ headers }) =>
    headers["x-auth-token"] === "t2"
      ? { body: { topics: [] } }
      : refusal(401, "APIGW.0301"),
  );
  let asked = 0;
  const { smn } = connect({
    endpoint: server.url,
    projectId,
    token: async () => `t${++asked}`,
  });
  await Array.fromAsync(smn.topics());
  await Array.fromAsync(smn.topics());
  assert.equal(asked, 2);
});

test("refuses an empty token", () => {
  assert.throws(
    () => connect({ endpoint: "http://localhost", projectId, token: "" }),
    InvalidOptionsError,
  );
});
