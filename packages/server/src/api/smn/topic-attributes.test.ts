import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

async function setUp() {
  const server = await startTestServer();
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const topic = `${server.base}/topics/${server.topicUrn("a")}`;
  const url = `${topic}/attributes`;
  const set = (name: string, value: unknown) =>
    server.call("PUT", `${url}/${name}`, { value });
  const show = async () => (await server.call("GET", url)).body.attributes;
  return { server, topic, url, set, show };
}

const statement = {
  Sid: "s1",
  Effect: "Allow",
  Principal: { CSP: ["*"] },
  Action: "SMN:Publish",
  Resource: "*",
};

const policy = {
  Version: "2016-09-07",
  Id: "id",
  Statement: [statement],
};

test("attributes are given back byte for byte, and reset", async () => {
  const { server, topic, url, set, show } = await setUp();
  await using _ = server;
  const unset = { access_policy: "", introduction: "" };
  assert.deepEqual(await show(), unset);

  const text = `\n\t${JSON.stringify(policy, null, 3)}\r\n `;
  const update = await set("access_policy", text);
  assert.deepEqual(
    [update.status, Object.keys(update.body)],
    [200, ["request_id"]],
  );
  const introduction = "\u{1F514}".repeat(30);
  assert.equal((await set("introduction", introduction)).status, 200);
  assert.deepEqual(await show(), { access_policy: text, introduction });
  const { body } = await server.call("GET", `${url}?name=introduction`);
  assert.deepEqual(body.attributes, { introduction });
  assert.ok(!("access_policy" in (await server.call("GET", topic)).body));

  for (let i = 0; i < 2; i++) {
    const reset = await server.call("DELETE", `${url}/access_policy`);
    assert.equal(reset.status, 200);
    assert.deepEqual(await show(), { access_policy: "", introduction });
  }
  await set("access_policy", text);
  assert.equal((await server.call("DELETE", url)).status, 200);
  assert.deepEqual(await show(), unset);
  await set("introduction", "x");
  await set("introduction", "");
  assert.deepEqual(await show(), unset);
});

test("each value that is wrong has its status and code", async () => {
  const { server, url, set, show } = await setUp();
  await using _ = server;
  const withPolicy = (changes: object) =>
    JSON.stringify({ ...policy, ...changes });
  const withStatement = (changes: object) =>
    withPolicy({ Statement: [{ ...statement, ...changes }] });
  const deep = `${'{"a":'.repeat(100)}1${"}".repeat(100)}`;
  const padded = (bytes: number) => {
    const text = JSON.stringify(policy);
    return text + " ".repeat(bytes - text.length);
  };
  const cases = [
    ["access_policy", undefined, 400, "SMN.0048"],
    ["access_policy", policy, 400, "SMN.0048"],
    ["access_policy", "", 400, "SMN.0048"],
    ["access_policy", "[]", 400, "SMN.0048"],
    ["access_policy", padded(30 * 1024 + 1), 403, "SMN.0047"],
    ["access_policy", `"${"\u00e9".repeat(15 * 1024)}"`, 403, "SMN.0047"],
    ["access_policy", deep, 400, "SMN.0049"],
    ["access_policy", "[".repeat(30_000), 400, "SMN.0048"],
    ["access_policy", withPolicy({ Version: "1" }), 400, "SMN.0049"],
    ["access_policy", withPolicy({ Id: "" }), 400, "SMN.0050"],
    ["access_policy", withPolicy({ Statement: [] }), 400, "SMN.0051"],
    [
      "access_policy",
      withPolicy({ Statement: [statement, statement] }),
      400,
      "SMN.0052",
    ],
    ["access_policy", withStatement({ Resource: "x" }), 400, "SMN.0053"],
    ["access_policy", withStatement({ Effect: "allow" }), 400, "SMN.0054"],
    ["access_policy", withStatement({ Action: "SMN:X" }), 400, "SMN.0055"],
    ["access_policy", withStatement({ Principal: {} }), 400, "SMN.0056"],
    ["access_policy", withStatement({ Condition: [] }), 400, "SMN.0058"],
    ["introduction", undefined, 400, "SMN.0046"],
    ["introduction", 5, 400, "SMN.0046"],
    ["introduction", "x".repeat(121), 403, "SMN.0047"],
    ["introduction", "\u00e9".repeat(61), 403, "SMN.0047"],
    ["colour", "red", 400, "SMN.0046"],
    ["__proto__", "x", 400, "SMN.0046"],
  ] as const;
  for (const [name, value, status, code] of cases) {
    const answer = await set(name, value);
    const note = `${name} ${JSON.stringify(value)?.slice(0, 120)}`;
    assert.deepEqual([answer.status, answer.body.code], [status, code], note);
  }
  for (const body of [undefined, null, [], "x", 5]) {
    const answer = await server.call("PUT", `${url}/access_policy`, body);
    assert.deepEqual([answer.status, answer.body.code], [400, "SMN.0048"]);
  }
  for (const [method, path] of [
    ["GET", `${url}?name=colour`],
    ["DELETE", `${url}/colour`],
  ] as const) {
    const answer = await server.call(method, path);
    assert.deepEqual([answer.status, answer.body.code], [400, "SMN.0046"]);
  }
  assert.deepEqual(await show(), { access_policy: "", introduction: "" });

  // As deep as can be where depth is allowed, and exactly as long as may be.
  const nested = withStatement({
    Condition: { StringEquals: JSON.parse(deep) },
  });
  for (const value of [nested, padded(30 * 1024)]) {
    assert.equal((await set("access_policy", value)).status, 200);
    assert.equal((await show()).access_policy, value);
  }
});

test("attributes of no topic are not there", async () => {
  const { server } = await setUp();
  await using _ = server;
  const url = `${server.base}/topics/${server.topicUrn("b")}/attributes`;
  const plain = `${server.base}/topics/a/attributes`;
  const value = "x";
  for (const [method, path, body] of [
    ["GET", "", undefined],
    ["PUT", "/introduction", { value }],
    ["DELETE", "/introduction", undefined],
    ["DELETE", "", undefined],
  ] as const) {
    const absent = await server.call(method, url + path, body);
    assert.deepEqual([absent.status, absent.body.code], [404, "SMN.0006"]);
    const malformed = await server.call(method, plain + path, body);
    assert.equal(malformed.body.code, "SMN.0005");
  }
});

test("whom a topic asks to confirm reads its introduction", async () => {
  const { server, topic, set } = await setUp();
  await using _ = server;
  await set("introduction", "On-call notifications");
  await server.call("POST", `${topic}/subscriptions`, {
    protocol: "email",
    endpoint: "a@example.test",
  });
  await server.clock.advanceSettled(1000);
  const [asked] = server.sent;
  assert.equal(asked?.message.content.kind, "confirmation");
  assert.equal(asked?.message.topic?.introduction, "On-call notifications");
});
