import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask,
  basicOf,
  createAccount,
  follow,
} from "../../../../test-support/pull.ts";
import {
  startTestServer,
  type TestServer,
} from "../../../../test-support/test-server.ts";

const path = "/api/v2/publishers/news/messages";

async function setUp() {
  const server = await startTestServer();
  const news = await createAccount(server, "publishers", "news");
  await createAccount(server, "subscribers", "device");
  await follow(server, "device", ["sports"]);
  const publish = (
    body: object | string,
    headers: Readonly<Record<string, string>> = {},
  ) =>
    ask(server, "POST", path, body, {
      authorization: server.authorization,
      ...headers,
    });
  return { server, news, publish };
}

const fetchAll = async (server: TestServer) =>
  (await ask(server, "GET", "/api/v2/subscriptions/device/messages")).body;

test("answers with the counts, by either's credentials", async () => {
  const { server, news, publish } = await setUp();
  await using _ = server;
  const own = await publish(
    { message: "m", categories: ["sports", "none"] },
    { authorization: basicOf(news) },
  );
  assert.equal(own.status, 201);
  const { id, ...counts } = own.body;
  assert.deepEqual(counts, { success: 1, fail: 0, failed: 0, total: 1 });
  assert.equal(own.headers.location, `/api/v2/messages/${id}`);
  const nobody = await publish({ message: "m", categories: "none" });
  assert.deepEqual(
    [nobody.status, nobody.body],
    [200, { success: 0, fail: 0, failed: 0, total: 0 }],
  );
  const shown = await server.call("GET", `/api/v2/messages/${id}`);
  assert.deepEqual(shown.body.counts, { waiting: 1 });
  const foreign = await createAccount(server, "publishers", "foreign");
  const refused = await publish(
    { message: "m" },
    { authorization: basicOf(foreign) },
  );
  assert.deepEqual(
    [refused.status, refused.body.code],
    [403, "PERMISSION_DENIED"],
  );
});

test("the same request by its key publishes once", async () => {
  const { server, news, publish } = await setUp();
  await using _ = server;
  const headers = { "idempotency-key": "k", authorization: basicOf(news) };
  const first = await publish({ message: "m" }, headers);
  const second = await publish({ message: "m" }, headers);
  assert.deepEqual([second.status, second.body], [201, first.body]);
  assert.equal(second.headers["idempotency-replayed"], "true");
  const other = await publish({ message: "n" }, headers);
  assert.deepEqual(
    [other.status, other.body.code],
    [422, "IDEMPOTENCY_KEY_REUSED"],
  );
  // Another publisher of the project has keys of its own.
  const foreign = await createAccount(server, "publishers", "foreign");
  const third = await ask(
    server,
    "POST",
    "/api/v2/messages",
    { message: "n" },
    { ...headers, authorization: basicOf(foreign) },
  );
  assert.equal(third.status, 201, JSON.stringify(third.body));
  assert.equal((await fetchAll(server)).length, 1);
});

test("categories are published to where topics are, by either's credentials", async () => {
  const { server, news } = await setUp();
  await using _ = server;
  const { authorization } = server;
  const own = { authorization: basicOf(news) };
  const post = (
    body: object,
    headers: Readonly<Record<string, string>> = { authorization },
  ) => ask(server, "POST", "/api/v2/messages", body, headers);
  for (const [body, headers] of [
    [{ text: "m", categories: "sports" }, own],
    [{ message: "m", categories: ["sports"] }, own],
    [{ text: "m" }, own],
    [{ text: "m", publisher: "news", expiresAt: "2999-01-01T00:00:00Z" }, own],
    [{ text: "m", publisher: "news", orderingKey: "k" }, { authorization }],
  ] as const) {
    const { status, body: answer } = await post(
      "expiresAt" in body
        ? { ...body, expiresAt: new Date(server.clock.now() + 9e6) }
        : body,
      headers,
    );
    const { id, ...counts } = answer;
    assert.equal(status, 201, JSON.stringify(answer));
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.deepEqual(counts, { success: 1, fail: 0, failed: 0, total: 1 });
  }
  assert.equal((await fetchAll(server)).length, 5);
  const audience = {
    kind: "topic",
    topicUrn: server.topicUrn("news"),
  };
  for (const [body, headers, status, code] of [
    [{ text: "m", categories: "sports" }, undefined, 400, "REQUEST_INVALID"],
    [{ text: "m" }, undefined, 400, "REQUEST_INVALID"],
    [{ text: "m", audience }, own, 400, "REQUEST_INVALID"],
    [{ text: "m", message: "m" }, own, 400, "MESSAGE_INVALID"],
    [{ audience, message: "m" }, undefined, 400, "MESSAGE_INVALID"],
    [{ text: "m", publisher: "other" }, own, 403, "PERMISSION_DENIED"],
    [{ text: "m", publisher: "no" }, undefined, 404, "PUBLISHER_NOT_FOUND"],
  ] as const) {
    const refused = await post(body, headers);
    assert.deepEqual(
      [refused.status, refused.body.code],
      [status, code],
      JSON.stringify(body),
    );
  }
});

test("what is delayed comes later, what expired does not come", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const { clock } = server;
  const later = await publish({ message: "later", delayMs: 5000 });
  // Nobody has it yet: there is nothing to count.
  assert.deepEqual(Object.keys(later.body), ["id"]);
  const inTwoSeconds = new Date(clock.now() + 2000).toISOString();
  await publish({ message: "short", expiresAt: inTwoSeconds });
  await clock.advanceSettled(3000);
  assert.deepEqual(await fetchAll(server), []);
  await clock.advanceSettled(4000);
  const [message] = await fetchAll(server);
  assert.equal(message.body, "later");
});

test("a message lives for two weeks at most, and no longer than it is to", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const { clock } = server;
  const lifeOf = async (body: object) => {
    const { body: answer } = await publish({ message: "m", ...body });
    const { body: shown } = await server.call(
      "GET",
      `/api/v2/messages/${answer.id}`,
    );
    return Date.parse(shown.expiresAt) - Date.parse(shown.acceptedAt);
  };
  const day = 86_400_000;
  const at = (ms: number) => new Date(clock.now() + ms).toISOString();
  assert.equal(await lifeOf({ timeToLiveSeconds: 1_209_600 }), 14 * day);
  assert.equal(await lifeOf({ expiresAt: at(14 * day) }), 14 * day);
  assert.equal(await lifeOf({ expiresAt: at(5900) }), 5000);
  assert.equal(await lifeOf({ expiresAt: at(10) }), 1000);
  const tooLate = await publish({ message: "m", expiresAt: at(14 * day + 1) });
  assert.equal(tooLate.body.code, "TIME_TO_LIVE_INVALID");
});

test("options that cannot be are refused by name", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const at = new Date(server.clock.now() + 60_000).toISOString();
  for (const [body, code] of [
    [{}, "MESSAGE_INVALID"],
    [{ message: "" }, "MESSAGE_INVALID"],
    [{ message: "m", categories: 1 }, "CATEGORY_INVALID"],
    [
      { message: "m", categories: [...Array(101).keys()].map(String) },
      "CATEGORY_INVALID",
    ],
    [{ message: "m", delayMs: -1 }, "MESSAGE_OPTION_INVALID"],
    [{ message: "m", delayMs: 1, notBefore: at }, "MESSAGE_OPTION_INVALID"],
    [
      { message: "m", expiresAt: at, timeToLiveSeconds: 1 },
      "TIME_TO_LIVE_INVALID",
    ],
    [
      { message: "m", expiresAt: "2020-01-01T00:00:00Z" },
      "TIME_TO_LIVE_INVALID",
    ],
    [{ message: "m", expiresAt: "soon" }, "REQUEST_INVALID"],
    [{ message: "m", other: 1 }, "REQUEST_INVALID"],
  ] as const) {
    const answer = await publish(body);
    assert.deepEqual(
      [answer.status, answer.body.code],
      [400, code],
      `${JSON.stringify(body).slice(0, 80)} ${answer.body.detail}`,
    );
  }
});
