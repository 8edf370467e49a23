import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

const friend = { domainId: "d".repeat(32), projectId: "e".repeat(32) };

async function setUp() {
  const server = await startTestServer();
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const topicUrn = server.topicUrn("a");
  const policy = JSON.stringify({
    Version: "2016-09-07",
    Id: "id",
    Statement: [
      {
        Sid: "friends",
        Effect: "Allow",
        Principal: { CSP: [`urn:csp:iam::${friend.domainId}:root`] },
        Action: "SMN:Publish",
        Resource: "*",
      },
      {
        Sid: "nights",
        Effect: "Deny",
        Principal: { CSP: ["*"] },
        Action: "*",
        Resource: "*",
        Condition: { StringEquals: { "g:UserName": "owl" } },
      },
    ],
  });
  const explain = (changes: object = {}) =>
    server.call("POST", "/api/v2/access/explain", {
      topicUrn,
      action: "SMN:Publish",
      principal: friend,
      ...changes,
    });
  return { server, topicUrn, policy, explain };
}

test("a decision is explained, statement by statement", async () => {
  const { server, topicUrn, policy, explain } = await setUp();
  await using _ = server;
  const none = await explain();
  assert.equal(none.status, 200);
  assert.equal(none.body.decision, "deny");
  assert.equal(none.body.reason, "no_policy");
  assert.deepEqual(none.body.statements, []);

  const url = `${server.base}/topics/${topicUrn}/attributes/access_policy`;
  await server.call("PUT", url, { value: policy });
  const context = { "g:UserName": "lark" };
  const { body } = await explain({ context });
  assert.equal(body.decision, "allow");
  assert.equal(body.statement, "friends");
  assert.deepEqual(
    body.statements.map((one: { sid: string; applies: boolean }) => [
      one.sid,
      one.applies,
    ]),
    [
      ["friends", true],
      ["nights", false],
    ],
  );
  // What cannot be decided denies.
  const undecided = await explain();
  assert.equal(undecided.body.reason, "denied");
  assert.equal(undecided.body.statement, "nights");
  const owner = { ...friend, projectId: server.credentials.project.id };
  assert.equal((await explain({ principal: owner })).body.reason, "owner");
});

test("a policy is tried without being set", async () => {
  const { server, topicUrn, policy, explain } = await setUp();
  await using _ = server;
  const context = { "g:UserName": ["lark"] };
  const tried = await explain({ policy, context });
  assert.equal(tried.body.decision, "allow");
  const url = `${server.base}/topics/${topicUrn}/attributes`;
  const { body } = await server.call("GET", url);
  assert.equal(body.attributes.access_policy, "");
  const broken = await explain({ policy: "{" });
  assert.deepEqual(
    [broken.status, broken.body.code],
    [400, "ACCESS_POLICY_INVALID"],
  );
});

test("only the owner may ask, and only what makes sense", async () => {
  const { server, topicUrn, explain } = await setUp();
  await using _ = server;
  const foreign = topicUrn.replace(
    server.credentials.project.id,
    "f".repeat(32),
  );
  for (const [changes, status, code] of [
    [{ topicUrn: foreign }, 404, "TOPIC_NOT_FOUND"],
    [{ topicUrn: `${topicUrn}b` }, 404, "TOPIC_NOT_FOUND"],
    [{ topicUrn: "a" }, 400, "TOPIC_URN_INVALID"],
    [{ topicUrn: 5 }, 400, "TOPIC_URN_INVALID"],
    [{ action: "SMN:*" }, 400, "REQUEST_INVALID"],
    [{ action: undefined }, 400, "REQUEST_INVALID"],
    [{ principal: {} }, 400, "REQUEST_INVALID"],
    [{ context: { a: 1 } }, 400, "REQUEST_INVALID"],
    [{ policy: {} }, 400, "REQUEST_INVALID"],
  ] as const) {
    const answer = await explain(changes);
    const note = JSON.stringify(changes);
    assert.deepEqual([answer.status, answer.body.code], [status, code], note);
  }
  const nobody = await server.app.inject({
    method: "POST",
    url: "/api/v2/access/explain",
    payload: "{}",
  });
  assert.equal(nobody.statusCode, 401);
});
