import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask as askServer,
  basicOf,
  createAccount,
  follow,
  type TestAccount,
} from "../../../test-support/pull.ts";
import {
  startTestServer,
  type TestServer,
} from "../../../test-support/test-server.ts";

const python = "python-requests/2.32.3";
const path = "/api/v1/notification";

async function setUp(categories: readonly string[] = []) {
  const server = await startTestServer();
  const publisher = await createAccount(server, "publishers", "news");
  const subscriber = await createAccount(server, "subscribers", "device");
  await follow(server, "device", categories);
  return { server, publisher, subscriber };
}

/** As the client does; by default, of GETs, Python's. */
function ask(
  server: TestServer,
  method: Parameters<typeof askServer>[1],
  account: Omit<TestAccount, "name"> | undefined,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
) {
  return askServer(server, method, path, body, {
    ...(account && { authorization: basicOf(account) }),
    ...(method === "GET" && { "user-agent": python }),
    ...headers,
  });
}

const bodiesOf = ({ body }: { body: readonly { body: string }[] }) =>
  body.map(({ body: text }) => text);

test("publishes to a subscriber, who polls", async () => {
  const { server, publisher, subscriber } = await setUp();
  await using _ = server;
  const sent = await ask(
    server,
    "POST",
    publisher,
    { message: "hello", category: "*" },
    { "content-type": "application/json; utf-8" },
  );
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  assert.deepEqual(sent.body, { success: 1, fail: 0, failed: 0, total: 1 });
  const { status, body } = await ask(server, "GET", subscriber);
  assert.equal(status, 200);
  assert.equal(body.length, 1);
  const [{ id, body: text, created, ...rest }] = body;
  assert.deepEqual(rest, {});
  assert.equal(text, "hello");
  assert.equal(typeof id, "number");
  assert.match(created, /^2026-01-01T\d\d:\d\d:\d\d$/);
});

test("a poll soon after another confirms, and answers nothing", async () => {
  const { server, publisher, subscriber } = await setUp();
  await using _ = server;
  for (const message of ["a", "b", "c"]) {
    await ask(server, "POST", publisher, { message });
  }
  const poll = () => ask(server, "GET", subscriber);
  assert.deepEqual(bodiesOf(await poll()), ["a", "b", "c"]);
  assert.deepEqual(bodiesOf(await poll()), []);
  await ask(server, "POST", publisher, { message: "d" });
  assert.deepEqual(bodiesOf(await poll()), []);
  assert.deepEqual(bodiesOf(await poll()), []);
  assert.deepEqual(bodiesOf(await poll()), ["d"]);
  await server.clock.advanceSettled(9001);
  assert.deepEqual(bodiesOf(await poll()), []);
  await ask(server, "POST", publisher, { message: "e" });
  await server.clock.advanceSettled(9001);
  assert.deepEqual(bodiesOf(await poll()), ["e"]);
  await server.clock.advanceSettled(60_001);
  assert.deepEqual(bodiesOf(await poll()), ["d", "e"]);
});

test("takes what clients call JSON in their own ways, or do not call at all", async () => {
  const { server, publisher } = await setUp();
  await using _ = server;
  for (const type of ["", "garbage", "text/plain", ";", "application/x;=;"]) {
    const { status, body } = await ask(
      server,
      "POST",
      publisher,
      { message: "a", category: null },
      { "content-type": type },
    );
    assert.deepEqual([status, body.total], [200, 1], type);
  }
  const many = Array<string>(200).fill("none");
  const { status } = await ask(server, "POST", publisher, {
    message: "a",
    category: many,
  });
  assert.equal(status, 200);
  const empty = await ask(server, "POST", publisher, { message: "" });
  assert.equal(empty.status, 400);
  assert.doesNotMatch(empty.body.error, /message_structure/);
});

test("other clients than Python's only poll, unless it is set so", async () => {
  const { server, publisher, subscriber } = await setUp();
  await using _ = server;
  await ask(server, "POST", publisher, { message: "a" });
  const poll = () =>
    ask(server, "GET", subscriber, undefined, { "user-agent": "Java/17" });
  const depth = async () =>
    (await server.call("GET", "/api/v2/subscribers/device")).body.depth;
  assert.deepEqual(bodiesOf(await poll()), ["a"]);
  assert.deepEqual(bodiesOf(await poll()), []);
  assert.equal(await depth(), 1);
  await server.call("PATCH", "/api/v2/subscribers/device", {
    legacyConfirm: "on",
  });
  assert.deepEqual(bodiesOf(await poll()), []);
  assert.equal(await depth(), 0);
});

test("confirms by ids, as texts or numbers, and passes over what is none", async () => {
  const { server, publisher, subscriber } = await setUp();
  await using _ = server;
  for (const message of ["a", "b", "c"]) {
    await ask(server, "POST", publisher, { message });
  }
  const { body } = await ask(server, "GET", subscriber);
  const [a, b, c] = body.map(({ id }: { id: number }) => id);
  const put = (messages: readonly unknown[], success?: boolean) =>
    ask(server, "PUT", subscriber, { messages, success });
  const strange = [999_999, "x", "-1", 1.5, null, {}, [], "9".repeat(40), ""];
  const first = await put([String(a), b, a, ...strange], true);
  assert.equal(first.status, 200);
  assert.deepEqual(first.body, { confirmed: 2 });
  assert.deepEqual((await put([a, b], true)).body, { confirmed: 0 });
  assert.deepEqual((await put([c], false)).body, {
    confirmed: 0,
    returned: 1,
  });
  assert.deepEqual(bodiesOf(await ask(server, "GET", subscriber)), ["c"]);
  const { body: shown } = await server.call(
    "GET",
    "/api/v2/subscribers/device",
  );
  assert.deepEqual(
    [shown.confirmsById, shown.depth, shown.counts],
    [true, 1, { waiting: 0, leased: 1, dead: 0 }],
  );
});

test("publishes to categories, to each subscriber once", async () => {
  const { server, publisher, subscriber } = await setUp(["a/b", "ünï"]);
  await using _ = server;
  const other = await createAccount(server, "subscribers", "other");
  await follow(server, "other");
  const publish = async (category: unknown) =>
    (
      await ask(server, "POST", publisher, {
        message: String(category),
        category,
      })
    ).body;
  const counts = (success: number) => ({
    success,
    fail: 0,
    failed: 0,
    total: success,
  });
  assert.deepEqual(await publish("a/b"), counts(1));
  assert.deepEqual(await publish(["a/b", "ünï"]), counts(1));
  assert.deepEqual(await publish(["a/b", "*"]), counts(2));
  assert.deepEqual(await publish("unknown"), counts(0));
  assert.deepEqual(await publish([]), counts(0));
  assert.deepEqual(await publish(["unknown", "ünï"]), counts(1));
  assert.equal(bodiesOf(await ask(server, "GET", subscriber)).length, 4);
  assert.equal(bodiesOf(await ask(server, "GET", other)).length, 1);
});

test("counts subscribers whose mailbox is full or disabled as failed", async () => {
  const { server, publisher } = await setUp();
  await using _ = server;
  await server.call("PATCH", "/api/v2/subscribers/device", { quota: 1 });
  await createAccount(server, "subscribers", "off");
  await follow(server, "off");
  await server.call("PATCH", "/api/v2/subscribers/off", { disabled: true });
  const publish = async () =>
    (await ask(server, "POST", publisher, { message: "m" })).body;
  assert.deepEqual(await publish(), {
    success: 1,
    fail: 1,
    failed: 1,
    total: 2,
  });
  assert.deepEqual(await publish(), {
    success: 0,
    fail: 2,
    failed: 2,
    total: 2,
  });
  const { body } = await server.call(
    "GET",
    "/api/v2/subscriptions/device/dead",
  );
  assert.equal(body.dead.length, 1);
  assert.match(body.dead[0].reason, /full|quota/i);
});

test("wrong, missing, foreign and disabled credentials are answered 404, all alike", async () => {
  const { server, publisher, subscriber } = await setUp();
  await using _ = server;
  const wrong: (Omit<TestAccount, "name"> | undefined)[] = [
    undefined,
    { ...publisher, secret: "wrong" },
    { ...subscriber, secret: "wrong" },
    { ...subscriber, secret: "" },
    { id: "f".repeat(32), secret: publisher.secret },
    { id: "x", secret: "y" },
  ];
  const calls = [
    ["POST", subscriber, { message: "m" }],
    ["GET", publisher, undefined],
    ["PUT", publisher, { messages: [], success: true }],
  ] as const;
  for (const [method, swapped, body] of calls) {
    const answers = [];
    for (const account of [swapped, ...wrong]) {
      answers.push(await ask(server, method, account, body));
    }
    // Bad bodies and long ones of strangers are not looked at.
    if (body) answers.push(await ask(server, method, undefined, "{"));
    for (const answer of answers) {
      assert.equal(answer.status, 404, method);
      assert.deepEqual(answer.body, answers[0]?.body);
      assert.equal(answer.headers["www-authenticate"], undefined);
    }
  }
  const project = await server.app.inject({
    url: path,
    headers: { authorization: server.authorization },
  });
  assert.equal(project.statusCode, 404);
  await server.call("PATCH", "/api/v2/publishers/news", { disabled: true });
  await server.call("PATCH", "/api/v2/subscribers/device", { disabled: true });
  for (const [method, , body] of calls) {
    const account = method === "POST" ? publisher : subscriber;
    assert.equal((await ask(server, method, account, body)).status, 404);
  }
});

test("bodies that cannot be understood are refused with a reason", async () => {
  const { server, publisher, subscriber } = await setUp();
  await using _ = server;
  const posts: readonly [unknown, number, RegExp][] = [
    ["{", 400, /not valid JSON/],
    ["", 400, /JSON object/],
    ["[]", 400, /JSON object/],
    [{}, 400, /message is missing/],
    [{ message: 1 }, 400, /message/],
    [{ message: null }, 400, /message/],
    [{ message: "" }, 400, /message/i],
    [{ message: "m", category: 1 }, 400, /category/],
    [{ message: "m", category: [1] }, 400, /category/],
    [
      { message: "m", category: [...Array(101).keys()].map(String) },
      400,
      /100/,
    ],
    [{ message: "x".repeat(300_000) }, 400, /message/i],
    [{ message: "x".repeat(3_000_000) }, 413, /bytes/],
  ];
  for (const [body, status, reason] of posts) {
    const answer = await ask(server, "POST", publisher, body);
    const shown = JSON.stringify(body).slice(0, 60);
    assert.equal(answer.status, status, `${shown} ${answer.body.error}`);
    assert.match(answer.body.error, reason, shown);
    assert.deepEqual(Object.keys(answer.body), ["error"]);
  }
  const puts: readonly [unknown, RegExp][] = [
    ["{", /not valid JSON/],
    [{}, /messages is missing/],
    [{ messages: "1" }, /messages/],
    [{ messages: Array(1001).fill(1) }, /messages/],
    [{ messages: [], success: "yes" }, /success/],
  ];
  for (const [body, reason] of puts) {
    const answer = await ask(server, "PUT", subscriber, body);
    assert.equal(answer.status, 400);
    assert.match(answer.body.error, reason);
  }
});

test("other methods do nothing", async () => {
  const { server, publisher, subscriber } = await setUp();
  await using _ = server;
  await ask(server, "POST", publisher, { message: "m" });
  for (const method of ["HEAD", "DELETE"] as const) {
    const answer = await ask(server, method, subscriber);
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers.allow, "GET, POST, PUT");
  }
  assert.deepEqual(bodiesOf(await ask(server, "GET", subscriber)), ["m"]);
  const unknown = await server.app.inject({ url: "/api/v1/nothing" });
  assert.equal(unknown.statusCode, 404);
  assert.deepEqual(Object.keys(unknown.json()), ["error"]);
});

test("the pages that clients name say what to do here", async () => {
  await using server = await startTestServer();
  for (const [page, command] of [
    ["publishers", "carillon publisher create NAME"],
    ["subscribers/device", "carillon subscriber create NAME"],
    ["categories", "carillon publisher category add"],
    ["", 'href="/notifi/subscribers/device"'],
    ["subscribers", 'href="/notifi/subscribers/device"'],
  ]) {
    const response = await server.app.inject({ url: `/notifi/${page}` });
    assert.match(response.body, /docs\/guides\/pull\.md"/, page);
    assert.equal(response.statusCode, 200, page);
    assert.match(String(response.headers["content-type"]), /^text\/html/);
    assert.ok(response.body.includes(command ?? ""), page);
  }
  const bare = await server.app.inject({ url: "/notifi" });
  assert.equal(bare.statusCode, 200);
});
