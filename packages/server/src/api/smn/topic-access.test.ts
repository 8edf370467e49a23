/** Topics of another project, named by their URN under the caller's own. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ProjectId } from "@carillon/core";
import {
  type Answer,
  parse,
  startTestServer,
  type TestServer,
} from "../../../test-support/test-server.ts";

const domainId = "d".repeat(32);
const projectId = "e".repeat(32) as ProjectId;

interface Guest {
  readonly base: string;
  call(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<Answer>;
}

/** Somebody of another account. */
async function addGuest(server: TestServer): Promise<Guest> {
  const { app, store, identity, credentials } = server;
  const [home] = await store.listDomains();
  const admin = await store.findUserByName(
    home?.id ?? "",
    credentials.user.name,
  );
  assert.ok(admin);
  const userId = "c".repeat(32);
  await store.putDomain({ id: domainId, name: "guests" });
  await store.putProject({ id: projectId, name: "guest", domainId });
  await store.putUser({
    ...admin,
    id: userId,
    name: "guest",
    domainId,
    projectIds: [projectId],
  });
  const methods = ["password"];
  const token = await identity.tokens.issue({ userId, projectId, methods });
  return {
    base: `/v2/${projectId}/notifications`,
    async call(method, url, body) {
      const response = await app.inject({
        method,
        url,
        headers: { "x-auth-token": token },
        ...(body !== undefined && { payload: JSON.stringify(body) }),
      });
      return {
        status: response.statusCode,
        headers: response.headers,
        body: parse(response.body),
      };
    },
  };
}

async function setUp() {
  const server = await startTestServer();
  const guest = await addGuest(server);
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const urn = server.topicUrn("a");
  /** Sets the policy; of no statements: resets it. */
  const allow = async (...statements: object[]) => {
    const url = `${server.base}/topics/${urn}/attributes/access_policy`;
    const value = JSON.stringify({
      Version: "2016-09-07",
      Id: "id",
      Statement: statements.map((statement, i) => ({
        Sid: `s${i}`,
        Effect: "Allow",
        Principal: { CSP: [`urn:csp:iam::${domainId}:root`] },
        Action: "*",
        Resource: urn,
        ...statement,
      })),
    });
    const { status, body } = statements.length
      ? await server.call("PUT", url, { value })
      : await server.call("DELETE", url);
    assert.equal(status, 200, body.message);
  };
  return { server, guest, urn, topic: `${guest.base}/topics/${urn}`, allow };
}

const email = { protocol: "email", endpoint: "a@example.test" };
const message = { message: "m" };

test("publishing and subscribing are denied unless a policy allows them", async () => {
  const { server, guest, topic, urn, allow } = await setUp();
  await using _ = server;
  const outcomes = async () => {
    const published = await guest.call("POST", `${topic}/publish`, message);
    const subscribed = await guest.call(
      "POST",
      `${topic}/subscriptions`,
      email,
    );
    return [published, subscribed].map(({ status, body }) =>
      status < 300 ? status : `${status} ${body.code}`,
    );
  };
  const denied = "403 SMN.0001";
  assert.deepEqual(await outcomes(), [denied, denied]);
  await allow({ Action: "SMN:Publish" });
  assert.deepEqual(await outcomes(), [200, denied]);
  await allow({ Action: ["SMN:Sub*"] });
  assert.deepEqual(await outcomes(), [denied, 201]);
  await allow({}, { Effect: "Deny", Action: "SMN:Publish" });
  assert.deepEqual(await outcomes(), [denied, 200]);
  await allow({ Principal: { CSP: [`urn:csp:iam::${"f".repeat(32)}:root`] } });
  assert.deepEqual(await outcomes(), [denied, denied]);
  await allow({ Resource: `${urn}b` });
  assert.deepEqual(await outcomes(), [denied, denied]);
  const fromHere = { IpAddress: { "g:SourceIp": "127.0.0.0/8" } };
  await allow({ Condition: fromHere });
  assert.deepEqual(await outcomes(), [200, 200]);
  await allow({ Condition: { NotIpAddress: fromHere.IpAddress } });
  assert.deepEqual(await outcomes(), [denied, denied]);
  await allow({ Condition: { StringEquals: { "g:UserName": "guest" } } });
  assert.deepEqual(await outcomes(), [200, 200]);
  await allow();
  assert.deepEqual(await outcomes(), [denied, denied]);
  // The owner is let in whatever the policy says.
  await allow({ Effect: "Deny", Principal: { CSP: ["*"] } });
  const own = `${server.base}/topics/${urn}/publish`;
  assert.equal((await server.call("POST", own, message)).status, 200);
});

test("a topic that does not let in looks like one that is not there", async () => {
  const { server, guest, urn, allow } = await setUp();
  await using _ = server;
  const { id } = server.credentials.project;
  const all = [
    ["POST", "/publish", message],
    ["POST", "/subscriptions", email],
    ["POST", "/subscriptions", { subscriptions: [email] }],
    ["GET", "", undefined],
    ["PUT", "", { display_name: "x" }],
    ["DELETE", "", undefined],
    ["GET", "/attributes", undefined],
    ["PUT", "/attributes/introduction", { value: "x" }],
    ["DELETE", "/attributes/introduction", undefined],
    ["DELETE", "/attributes", undefined],
    ["GET", "/subscriptions", undefined],
    [
      "DELETE",
      "/subscriptions",
      { subscription_urns: [{ subscription_urn: `${urn}:${"1".repeat(32)}` }] },
    ],
    ["DELETE", `/subscriptions/${urn}:${"1".repeat(32)}`, undefined],
  ] as const;
  const policies = [
    [],
    [{ Effect: "Deny" }],
    [{ Condition: { StringEquals: { "g:UserName": "else" } } }],
  ];
  for (const statements of policies) {
    await allow(...statements);
    for (const [method, path, body] of all) {
      const ask = async (of: string) => {
        const url = `${guest.base}/topics/${of}${path}`;
        const answer = await guest.call(method, url, body);
        return [answer.status, { ...answer.body, request_id: "" }];
      };
      const there = await ask(urn);
      const note = `${method} ${path}`;
      for (const absent of [
        server.topicUrn("b"),
        `urn:smn:elsewhere:${id}:a`,
        `urn:smn:test-1:${"9".repeat(32)}:a`,
      ]) {
        assert.deepEqual(await ask(absent), there, note);
      }
      const isDenied =
        method === "POST" && (path === "/publish" || path === "/subscriptions");
      assert.equal(there[0], isDenied ? 403 : 404, note);
    }
  }
  const own = await server.call("GET", `${server.base}/topics/${urn}`);
  assert.equal(own.status, 200);
  assert.equal(own.body.display_name, "");
});

test("what guests publish and subscribe belongs to the topic's owner", async () => {
  const { server, guest, topic, urn, allow } = await setUp();
  await using _ = server;
  await allow({});
  const subscribed = await guest.call("POST", `${topic}/subscriptions`, email);
  assert.equal(subscribed.status, 201);
  const { subscription_urn } = subscribed.body;
  assert.ok(subscription_urn.startsWith(`${urn}:`));
  const { body: own } = await server.call(
    "GET",
    `${server.base}/subscriptions`,
  );
  assert.equal(own.subscriptions[0].subscription_urn, subscription_urn);
  assert.equal(own.subscriptions[0].owner, server.credentials.project.id);
  const { body: theirs } = await guest.call(
    "GET",
    `${guest.base}/subscriptions`,
  );
  assert.equal(theirs.subscription_count, 0);
  const listed = await guest.call("GET", `${topic}/subscriptions`);
  assert.equal(listed.body.subscription_count, 1);

  const published = await guest.call("POST", `${topic}/publish`, message);
  const path = `/api/v2/messages/${published.body.message_id}`;
  const kept = await server.call("GET", path);
  assert.equal(kept.body.topicUrn, urn);
  assert.equal((await guest.call("GET", path)).status, 404);
});

test("a guest publishes by templates of its own", async () => {
  const { server, guest, topic, allow } = await setUp();
  await using _ = server;
  await allow({ Action: "SMN:Publish" });
  const create = { message_template_name: "greeting", content: "from {who}" };
  const publish = { message_template_name: "greeting", tags: { who: "guest" } };
  await server.call("POST", `${server.base}/message_template`, create);
  const without = await guest.call("POST", `${topic}/publish`, publish);
  assert.equal(without.body.code, "SMN.0027");
  await guest.call("POST", `${guest.base}/message_template`, create);
  const { body } = await guest.call("POST", `${topic}/publish`, publish);
  const path = `/api/v2/messages/${body.message_id}`;
  const { variants } = (await server.call("GET", path)).body;
  assert.deepEqual(variants, { default: "from guest" });
});

test("each action opens its own routes", async () => {
  const { server, guest, topic, urn, allow } = await setUp();
  await using _ = server;
  const subscribe = async (n: number) => {
    const url = `${server.base}/topics/${urn}/subscriptions`;
    const endpoint = `${n}@example.test`;
    const { body } = await server.call("POST", url, { ...email, endpoint });
    return body.subscription_urn;
  };
  const each = await Promise.all([1, 2, 3, 4].map(subscribe));
  const listed = (n: number) => ({
    subscription_urns: [{ subscription_urn: each[n] }],
  });
  const { base } = guest;
  const routes: readonly (readonly [
    string,
    "GET" | "POST" | "PUT" | "DELETE",
    string,
    unknown?,
  ])[] = [
    ["SMN:QueryTopicDetail", "GET", topic],
    ["SMN:UpdateTopic", "PUT", topic, { display_name: "by a guest" }],
    ["SMN:ListTopicAttributes", "GET", `${topic}/attributes`],
    [
      "SMN:UpdateTopicAttribute",
      "PUT",
      `${topic}/attributes/introduction`,
      { value: "x" },
    ],
    ["SMN:ListSubscriptionsByTopic", "GET", `${topic}/subscriptions`],
    ["SMN:Unsubscribe", "DELETE", `${base}/subscriptions/${each[0]}`],
    ["SMN:Unsubscribe", "DELETE", `${topic}/subscriptions/${each[1]}`],
    ["SMN:Unsubscribe", "DELETE", `${base}/subscriptions`, listed(2)],
    ["SMN:Unsubscribe", "DELETE", `${topic}/subscriptions`, listed(3)],
    [
      "SMN:DeleteTopicAttributeByName",
      "DELETE",
      `${topic}/attributes/introduction`,
    ],
    ["SMN:DeleteTopicAttributes", "DELETE", `${topic}/attributes`],
    ["SMN:DeleteTopic", "DELETE", topic],
  ];
  const statusOf = ({ status, body }: Answer) =>
    body.subscriptions_result?.[0].http_code ?? status;
  for (const [action, method, url, body] of routes) {
    await allow({}, { Effect: "Deny", Action: action });
    const refused = await guest.call(method, url, body);
    assert.equal(statusOf(refused), 404, `${action} ${url}`);
    await allow({ Action: action });
    const done = await guest.call(method, url, body);
    assert.equal(statusOf(done), 200, `${action} ${url}`);
  }
  const gone = await server.call("GET", `${server.base}/topics/${urn}`);
  assert.equal(gone.status, 404);
});

test("the guide's policy is one, and does what the guide says", async () => {
  const { server, urn, guest, topic } = await setUp();
  await using _ = server;
  const guide = readFileSync(
    new URL("../../../../../docs/guides/access-policies.md", import.meta.url),
    "utf8",
  );
  const [, policy = ""] = /```json\n([^`]*)```/.exec(guide) ?? [];
  const set = (value: string) =>
    server.call(
      "PUT",
      `${server.base}/topics/${urn}/attributes/access_policy`,
      { value },
    );
  assert.equal((await set(policy)).status, 200);
  const publish = () => guest.call("POST", `${topic}/publish`, message);
  assert.equal((await publish()).status, 403);
  const mine = policy
    .replace(/[0-9a-f]{32}/, domainId)
    .replace("192.0.2.0/24", "127.0.0.0/8");
  assert.equal((await set(mine)).status, 200);
  assert.equal((await publish()).status, 200);
});

test("several topics need a policy each, and a project in common", async () => {
  const { server, guest, urn, allow } = await setUp();
  await using _ = server;
  const { base, call, topicUrn, store, credentials } = server;
  await call("POST", `${base}/topics`, { name: "b" });
  await guest.call("POST", `${guest.base}/topics`, { name: "own" });
  const other = topicUrn("b");
  const publish = async (topics: readonly string[]) => {
    const audience = { kind: "topics", topics };
    const body = { audience, text: "x" };
    return await guest.call("POST", "/api/v2/messages", body);
  };
  const owner = credentials.project.id;
  const kept = async () =>
    (await store.listMessages(owner, {}, { limit: 9 })).messages.map(
      ({ message: { id } }) => id,
    );
  await allow({});
  const denied = await publish([urn, other]);
  assert.deepEqual(
    [denied.status, denied.body.code],
    [403, "TOPIC_ACCESS_DENIED"],
  );
  const mixed = await publish(["own", urn]);
  assert.deepEqual([mixed.status, mixed.body.code], [400, "TOPICS_INVALID"]);
  assert.match(mixed.body.detail, /:a is of another project than .*:own;/);
  assert.deepEqual(await kept(), []);
  const policy = {
    Version: "2016-09-07",
    Id: "id",
    Statement: [
      {
        Sid: "s",
        Effect: "Allow",
        Principal: { CSP: [`urn:csp:iam::${domainId}:root`] },
        Action: "*",
        Resource: other,
      },
    ],
  };
  const url = `${base}/topics/${other}/attributes/access_policy`;
  await call("PUT", url, { value: JSON.stringify(policy) });
  const { status, body } = await publish([urn, other]);
  assert.equal(status, 201, JSON.stringify(body));
  assert.deepEqual(await kept(), [body.id]);
});
