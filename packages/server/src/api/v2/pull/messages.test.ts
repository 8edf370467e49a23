import assert from "node:assert/strict";
import { get } from "node:http";
import { test } from "node:test";
import {
  ask,
  basicOf,
  createAccount,
  follow,
  publishAll,
} from "../../../../test-support/pull.ts";
import {
  startTestServer,
  type TestServer,
} from "../../../../test-support/test-server.ts";

const base = "/api/v2/subscriptions/device";

async function setUp(env: Readonly<Record<string, string>> = {}) {
  const server = await startTestServer({ env });
  await createAccount(server, "publishers", "news");
  const device = await createAccount(server, "subscribers", "device");
  await follow(server, "device", ["sports"]);
  const post = (path: string, body: unknown) =>
    ask(server, "POST", `${base}/${path}`, body);
  return { server, device, post };
}

const fetchAll = async (server: TestServer, query = "") =>
  (await ask(server, "GET", `${base}/messages${query}`)).body;

const texts = (messages: readonly { body: string }[]) =>
  messages.map(({ body }) => body);

const leasesOf = (messages: readonly { leaseId: string }[]) =>
  messages.map(({ leaseId }) => leaseId);

async function countsOf(server: TestServer) {
  const { body } = await server.call("GET", "/api/v2/subscribers/device");
  return body.counts;
}

test("hands a message out with all that belongs to it", async () => {
  const { server } = await setUp();
  await using _ = server;
  const [id] = await publishAll(server, {
    message: "goal",
    categories: "sports",
    subject: "S",
    attributes: [{ name: "team", type: "STRING", value: "red" }],
    extraData: { minute: 90 },
  });
  const answer = await ask(server, "GET", `${base}/messages`);
  assert.equal(answer.status, 200);
  const [{ leaseId, leaseUntil, createdAt, ...message }] = answer.body;
  assert.deepEqual(message, {
    id,
    deliveryCount: 1,
    subject: "S",
    body: "goal",
    data: { minute: 90 },
    attributes: [{ name: "team", type: "STRING", value: "red" }],
    categories: ["sports"],
    topicUrn: server.topicUrn("news-sports"),
  });
  assert.match(leaseId, /^\w+\.\w+\.\w+$/);
  assert.match(createdAt, /^2026-01-01T00:00:\d\d\.\d{3}Z$/);
  const leftMs = Date.parse(leaseUntil) - server.clock.now();
  assert.ok(leftMs > 59_000 && leftMs <= 60_000, String(leftMs));
  assert.deepEqual(await fetchAll(server), []);
});

test("an ack counts once and is answered again; a late or foreign one is stale", async () => {
  const { server, post } = await setUp();
  await using _ = server;
  await createAccount(server, "subscribers", "other");
  await publishAll(server, "a", "b");
  const [a, b] = leasesOf(await fetchAll(server));
  const foreign = await ask(
    server,
    "POST",
    "/api/v2/subscriptions/other/messages:ack",
    { leaseIds: [a] },
  );
  assert.deepEqual(foreign.body, { acked: [], stale: [a] });
  const first = await post("messages:ack", { leaseIds: [a, "zz.zz.zz", a] });
  assert.equal(first.status, 200);
  assert.deepEqual(first.body, { acked: [a], stale: ["zz.zz.zz"] });
  const again = await post("messages:ack", { leaseIds: [a] });
  assert.deepEqual(again.body, { acked: [a], stale: [] });
  await server.clock.advanceSettled(60_001);
  const late = await post("messages:ack", { leaseIds: [b] });
  assert.deepEqual(late.body, { acked: [], stale: [b] });
  const [redelivered] = await fetchAll(server);
  assert.equal(redelivered.body, "b");
  assert.equal(redelivered.deliveryCount, 2);
  assert.notEqual(redelivered.leaseId, b);
});

test("what is given back comes again, at once or later", async () => {
  const { server, post } = await setUp();
  await using _ = server;
  await publishAll(server, "a");
  const nack = async (more: object) => {
    const leaseIds = leasesOf(await fetchAll(server));
    assert.equal(leaseIds.length, 1);
    const { body } = await post("messages:nack", { leaseIds, ...more });
    assert.deepEqual(body, { nacked: leaseIds, stale: [] });
  };
  await nack({});
  await nack({ delayMs: 5000 });
  assert.deepEqual(await fetchAll(server), []);
  await server.clock.advanceSettled(5001);
  assert.equal((await fetchAll(server))[0].deliveryCount, 3);
});

test("a lease is as long as it is asked for, and can be extended", async () => {
  const { server, post } = await setUp();
  await using _ = server;
  await publishAll(server, "a", "b");
  const [a] = await fetchAll(server, "?lease=5&max=1");
  const [b] = await fetchAll(server, "?lease=5");
  const { status, body } = await post("messages:extend", {
    leaseIds: [a.leaseId],
    seconds: 30,
  });
  assert.equal(status, 200);
  assert.deepEqual(body.extended, [a.leaseId]);
  assert.ok(body.leaseUntil > a.leaseUntil);
  await server.clock.advanceSettled(5001);
  assert.deepEqual(texts(await fetchAll(server)), ["b"]);
  const stale = await post("messages:extend", {
    leaseIds: [b.leaseId],
    seconds: 30,
  });
  assert.deepEqual(stale.body.stale, [b.leaseId]);
  const acked = await post("messages:ack", { leaseIds: [a.leaseId] });
  assert.deepEqual(acked.body.acked, [a.leaseId]);
});

test("what is handed out in vain is dead, until it is redriven", async () => {
  const { server, post } = await setUp({ CARILLON_PULL_MAX_DELIVERIES: "2" });
  await using _ = server;
  const ids = await publishAll(server, "a", "b", "c");
  for (let i = 0; i < 2; i++) {
    await post("messages:nack", { leaseIds: leasesOf(await fetchAll(server)) });
  }
  assert.deepEqual(await fetchAll(server), []);
  assert.deepEqual(await countsOf(server), { waiting: 0, leased: 0, dead: 3 });
  const { body: first } = await ask(server, "GET", `${base}/dead?limit=2`);
  assert.deepEqual(
    first.dead.map(({ id }: { id: string }) => id),
    ids.slice(0, 2),
  );
  assert.equal(first.dead[0].deliveryCount, 2);
  assert.equal(first.dead[0].deliveryId.startsWith(`${ids[0]}-`), true);
  assert.ok(first.dead[0].reason.length > 5);
  const { body: second } = await ask(
    server,
    "GET",
    `${base}/dead?limit=2&after=${first.next}`,
  );
  assert.equal(second.dead.length, 1);
  assert.equal(second.next, undefined);
  const unknown = "f".repeat(32);
  const some = await post("dead:redrive", { ids: [ids[1], unknown] });
  assert.deepEqual([some.status, some.body], [200, { redriven: 1 }]);
  assert.deepEqual((await post("dead:redrive", undefined)).body, {
    redriven: 2,
  });
  assert.deepEqual((await post("dead:redrive", {})).body, { redriven: 0 });
  const again = await fetchAll(server);
  assert.deepEqual(texts(again), ["a", "b", "c"]);
  assert.equal(again[0].deliveryCount, 1);
});

test("a resend keeps to the quota, and says what it is", async () => {
  const { server, post } = await setUp();
  await using _ = server;
  await ask(server, "PATCH", "/api/v2/subscribers/device", { quota: 1 });
  await publishAll(server, "a", "b");
  const { body } = await ask(server, "GET", `${base}/dead`);
  const [{ deliveryId }] = body.dead;
  const resend = () =>
    ask(server, "POST", `/api/v2/deliveries/${deliveryId}/resend`, {});
  const refused = await resend();
  assert.equal(refused.status, 409);
  assert.equal(refused.body.code, "DELIVERY_NOT_QUEUED");
  assert.match(refused.body.detail, /quota is 1/);
  await post("messages:ack", { leaseIds: leasesOf(await fetchAll(server)) });
  assert.equal((await resend()).status, 200);
  assert.deepEqual(texts(await fetchAll(server)), ["b"]);
});

test("a long poll is answered when something comes, or when its time is over", async () => {
  const { server } = await setUp();
  await using _ = server;
  const { app, authorization, clock } = server;
  const poll = () =>
    app.inject({
      url: `${base}/messages?wait=30`,
      headers: { authorization },
    });
  const pending = Promise.resolve(poll());
  await clock.advanceSettled(100);
  await publishAll(server, "late");
  assert.deepEqual(texts((await pending).json()), ["late"]);
  const startedAt = clock.now();
  const empty = await ask(server, "GET", `${base}/messages?wait=2`);
  assert.deepEqual([empty.status, empty.body], [200, []]);
  assert.ok(clock.now() - startedAt >= 2000);
});

test("a client that went away while it waited takes nothing with it", async () => {
  const { server } = await setUp();
  await using _ = server;
  const port = await server.listen();
  const request = get({
    port,
    path: `${base}/messages?wait=60`,
    headers: { authorization: server.authorization },
  });
  request.on("error", () => {});
  await waitFor(server, async () => (await consumersOf(server)) === 1);
  request.destroy();
  await waitFor(server, async () => (await consumersOf(server)) === 0);
  await publishAll(server, "m");
  const [message] = await fetchAll(server);
  assert.equal(message.deliveryCount, 1);
});

test("options out of bounds are refused, and say the range", async () => {
  const { server, post } = await setUp();
  await using _ = server;
  for (const [query, range] of [
    ["max=0", "1 to 100"],
    ["max=101", "1 to 100"],
    ["max=-1", "1 to 100"],
    ["max=x", "1 to 100"],
    ["max=", "1 to 100"],
    ["max=1.5", "1 to 100"],
    ["max=99999999999999999999", "1 to 100"],
    ["wait=61", "0 to 60"],
    ["wait=-1", "0 to 60"],
    ["wait=x", "0 to 60"],
    ["lease=4", "5 to 43200"],
    ["lease=43201", "5 to 43200"],
  ]) {
    const { status, body } = await ask(
      server,
      "GET",
      `${base}/messages?${query}`,
    );
    assert.deepEqual([status, body.code], [400, "PULL_OPTION_INVALID"], query);
    assert.ok(body.detail.includes(`from ${range}`), body.detail);
  }
  for (const query of ["credit=0", "credit=1001", "after=x", "lease=1"]) {
    const { status, body } = await ask(
      server,
      "GET",
      `${base}/stream?${query}`,
    );
    assert.deepEqual([status, body.code], [400, "PULL_OPTION_INVALID"], query);
  }
  for (const [path, body] of [
    ["messages:nack", { leaseIds: [], delayMs: -1 }],
    ["messages:nack", { leaseIds: [], delayMs: 43_200_001 }],
    ["messages:extend", { leaseIds: [], seconds: 4 }],
    ["messages:extend", { leaseIds: [], seconds: 43_201 }],
    ["messages:extend", { leaseIds: [] }],
    ["messages:ack", { leaseIds: Array(1001).fill("1.1.1") }],
    ["messages:ack", {}],
  ] as const) {
    const answer = await post(path, body);
    assert.deepEqual(
      [answer.status, answer.body.code],
      [400, "PULL_OPTION_INVALID"],
      `${path} ${JSON.stringify(body).slice(0, 60)}`,
    );
  }
  const unknown = await ask(server, "GET", `${base}/messages?foo=1`);
  assert.deepEqual(
    [unknown.status, unknown.body.code],
    [400, "REQUEST_INVALID"],
  );
});

test("a malformed lease id is refused, and nothing changes", async () => {
  const { server, post } = await setUp();
  await using _ = server;
  await publishAll(server, "a");
  const [lease] = leasesOf(await fetchAll(server));
  for (const bad of [
    "",
    "x",
    "1.2",
    "1.2.3.4",
    "A.B.C",
    "0.1.1",
    "1.1.1 ",
    1,
  ]) {
    for (const [path, more] of [
      ["messages:ack", {}],
      ["messages:nack", {}],
      ["messages:extend", { seconds: 60 }],
    ] as const) {
      const answer = await post(path, { leaseIds: [lease, bad], ...more });
      assert.deepEqual(
        [answer.status, answer.body.code],
        [400, "LEASE_ID_INVALID"],
        `${path} ${bad}`,
      );
    }
  }
  assert.deepEqual(await countsOf(server), { waiting: 0, leased: 1, dead: 0 });
});

test("a mailbox is found by name, and by its subscriptions' URNs and ids", async () => {
  const { server } = await setUp();
  await using _ = server;
  const subscribed = await server.call(
    "POST",
    `/api/v2/topics/${server.topicUrn("news")}/subscriptions`,
    { protocol: "pull", endpoint: "device" },
  );
  const { urn } = subscribed.body;
  for (const reference of ["device", urn, urn.slice(-32)]) {
    await publishAll(server, "m");
    const { body } = await ask(
      server,
      "GET",
      `/api/v2/subscriptions/${reference}/messages`,
    );
    assert.equal(body.length, 1, reference);
  }
  for (const reference of ["nobody", "f".repeat(32), `${urn.slice(0, -1)}x`]) {
    const { status } = await ask(
      server,
      "GET",
      `/api/v2/subscriptions/${reference}/messages`,
    );
    assert.equal(status, 404, reference);
  }
});

test("a subscriber's own credentials reach its own mailbox alone", async () => {
  const { server, device } = await setUp();
  await using _ = server;
  const other = await createAccount(server, "subscribers", "other");
  const publisher = await createAccount(server, "publishers", "second");
  const get = (path: string, authorization: string) =>
    ask(server, "GET", `/api/v2/${path}`, undefined, { authorization });
  await publishAll(server, "a", "b");
  const own = await get("subscriptions/device/messages?max=1", basicOf(device));
  assert.deepEqual(texts(own.body), ["a"]);
  const acked = await ask(
    server,
    "POST",
    `${base}/messages:ack`,
    { leaseIds: leasesOf(own.body) },
    { authorization: basicOf(device) },
  );
  assert.equal(acked.body.acked.length, 1);
  for (const name of ["other", "nobody"]) {
    const refused = await get(
      `subscriptions/${name}/messages`,
      basicOf(device),
    );
    assert.deepEqual(
      [refused.status, refused.body.code],
      [403, "PERMISSION_DENIED"],
    );
  }
  assert.equal(
    (await get("subscriptions/device/dead", basicOf(device))).status,
    200,
  );
  for (const [path, account] of [
    ["subscriptions/device/messages", { ...device, secret: "wrong" }],
    ["subscribers", device],
    ["publishers/news", publisher],
    ["whoami", device],
  ] as const) {
    const refused = await get(path, basicOf(account));
    assert.deepEqual(
      [refused.status, refused.body.code],
      [401, "AUTHENTICATION_FAILED"],
      path,
    );
  }
  await server.call("PATCH", "/api/v2/subscribers/other", { disabled: true });
  const disabled = await get("subscriptions/other/messages", basicOf(other));
  assert.equal(disabled.status, 401);
});

test("a HEAD leases nothing", async () => {
  const { server } = await setUp();
  await using _ = server;
  await publishAll(server, "a");
  for (const path of ["messages", "stream"]) {
    assert.equal((await ask(server, "HEAD", `${base}/${path}`)).status, 404);
  }
  assert.deepEqual(await countsOf(server), { waiting: 1, leased: 0, dead: 0 });
});

test("metrics count what happens to messages", async () => {
  const { server, post } = await setUp();
  await using _ = server;
  await publishAll(server, "a", "b");
  const [a, b] = leasesOf(await fetchAll(server));
  await post("messages:ack", { leaseIds: [a] });
  await post("messages:nack", { leaseIds: [b] });
  const text = await metricsOf(server);
  for (const [event, count] of [
    ["leased", 2],
    ["confirmed", 1],
    ["nacked", 1],
    ["dead", 0],
  ]) {
    assert.ok(
      text.includes(`carillon_pull_messages_total{event="${event}"} ${count}`),
      text.slice(0, 3000),
    );
  }
});

test("a confirmation and a death are told as outcomes of any protocol are", async () => {
  const { server, post } = await setUp({ CARILLON_PULL_MAX_DELIVERIES: "1" });
  await using _ = server;
  const url = `${server.base}/topics/${server.topicUrn("news")}/logtanks`;
  const [, unlogged] = await publishAll(server, "dead", "before");
  const [dead, before] = leasesOf(await fetchAll(server));
  await post("messages:ack", { leaseIds: [before] });
  await server.call("POST", url, { log_group_id: "g", log_stream_id: "s" });
  await post("messages:nack", { leaseIds: [dead] });
  const [id] = await publishAll(server, "a");
  await post("messages:ack", { leaseIds: leasesOf(await fetchAll(server)) });
  await server.clock.advanceSettled(100);
  const path = `/api/v2/topics/${server.topicUrn("news")}/log`;
  const { entries } = (await server.call("GET", path)).body;
  assert.deepEqual(
    entries.map((it: Record<string, unknown>) => [
      ...[it.reason, it.state, it.protocol, it.endpoint, it.attempts],
    ]),
    [
      ["failed", "FAIL_DELIVERED", "pull", "device", 1],
      ["delivered", "DELIVERED", "pull", "device", 1],
    ],
  );
  assert.equal(entries[1].message_id, id);
  assert.match(entries[1].subscription_urn, /:news:[0-9a-f]{32}$/);
  assert.notEqual(entries[0].message_id, unlogged);
  const text = await metricsOf(server);
  const counts = [...text.matchAll(/^carillon_\w+\{.*\} [1-9]\d*$/gm)].join(
    "\n",
  );
  assert.match(counts, /protocol="pull",state="delivered"\} 2$/m);
  assert.match(counts, /protocol="pull",state="failed"\} 1$/m);
});

async function metricsOf(server: TestServer): Promise<string> {
  const { body } = await ask(server, "GET", "/metrics");
  return body;
}

async function consumersOf(server: TestServer): Promise<number> {
  const [, count] =
    /^carillon_pull_consumers\{kind="waiting"\} (\d+)$/m.exec(
      await metricsOf(server),
    ) ?? [];
  return Number(count);
}

async function waitFor(
  { clock }: TestServer,
  isSo: () => Promise<boolean>,
): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    if (await isSo()) return;
    await clock.advanceSettled(1);
  }
  assert.fail("What was waited for did not come.");
}

test("what an account of the other kind reaches, it is told", async () => {
  await using server = await startTestServer();
  const news = await createAccount(server, "publishers", "news");
  const device = await createAccount(server, "subscribers", "device");
  for (const [method, url, account, said] of [
    ["GET", "/api/v2/subscriptions/device/messages", news, /one publisher/],
    ["POST", "/api/v2/publishers/news/messages", device, /one subscriber/],
    ["POST", "/api/v2/messages", device, /one subscriber/],
  ] as const) {
    const { status, body } = await ask(
      server,
      method,
      url,
      method === "POST" ? { text: "m" } : undefined,
      { authorization: basicOf(account) },
    );
    assert.deepEqual([status, body.code], [403, "PERMISSION_DENIED"]);
    assert.match(body.detail, said);
  }
});

test("of a subscriber that is disabled nobody fetches anything", async () => {
  await using server = await startTestServer();
  await createAccount(server, "subscribers", "device");
  await server.call("PATCH", "/api/v2/subscribers/device", { disabled: true });
  for (const path of ["messages", "messages?wait=1", "stream"]) {
    const { status, body } = await server.call(
      "GET",
      `/api/v2/subscriptions/device/${path}`,
    );
    assert.deepEqual([status, body.code], [409, "SUBSCRIBER_DISABLED"]);
    assert.match(body.detail, /device is disabled/);
  }
});
