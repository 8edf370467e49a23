import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ask,
  basicOf,
  createAccount,
  follow,
} from "../../../../test-support/pull.ts";
import { startTestServer } from "../../../../test-support/test-server.ts";

test("publishers are created, listed, disabled, given other secrets and deleted", async () => {
  await using server = await startTestServer();
  const { call } = server;
  const news = await createAccount(server, "publishers", "news");
  await createAccount(server, "publishers", "second", { topic: "own" });
  await createAccount(server, "publishers", "third");
  assert.match(news.secret, /^[A-Za-z0-9]{40}$/);
  const { secret: _, ...shown } = news;
  const { body } = await call("GET", "/api/v2/publishers/news");
  assert.deepEqual(body, {
    ...shown,
    topicName: "news",
    topicUrn: server.topicUrn("news"),
    disabled: false,
    createdAt: "2026-01-01T00:00:00.000Z",
  });
  const names: string[] = [];
  let after = "";
  for (;;) {
    const page = await call("GET", `/api/v2/publishers?limit=2${after}`);
    names.push(
      ...page.body.publishers.map(({ name }: { name: string }) => name),
    );
    assert.ok(!JSON.stringify(page.body).includes("secret"));
    if (page.body.next === undefined) break;
    after = `&after=${page.body.next}`;
  }
  assert.deepEqual(names, ["news", "second", "third"]);
  const publish = async (secret: string) =>
    (
      await ask(
        server,
        "POST",
        "/api/v2/publishers/news/messages",
        { message: "m" },
        { authorization: basicOf({ id: news.id, secret }) },
      )
    ).status;
  assert.equal(await publish(news.secret), 201);
  const rotated = await call("POST", "/api/v2/publishers/news/secret");
  assert.equal(rotated.status, 200);
  assert.equal(await publish(news.secret), 401);
  assert.equal(await publish(rotated.body.secret), 201);
  const disabled = await call("PATCH", "/api/v2/publishers/news", {
    disabled: true,
  });
  assert.equal(disabled.body.disabled, true);
  assert.equal(await publish(rotated.body.secret), 401);
  await call("PATCH", "/api/v2/publishers/news", { disabled: false });
  assert.equal(await publish(rotated.body.secret), 201);
  assert.equal((await call("DELETE", "/api/v2/publishers/news")).status, 204);
  assert.equal(await publish(rotated.body.secret), 401);
  const gone = await call("GET", "/api/v2/publishers/news");
  assert.deepEqual([gone.status, gone.body.code], [404, "PUBLISHER_NOT_FOUND"]);
});

test("categories keep their references verbatim", async () => {
  await using server = await startTestServer();
  const { call } = server;
  await createAccount(server, "publishers", "news");
  const path = "/api/v2/publishers/news/categories";
  const references = ["sports", "a/b?c=d&e", " x ", "Ünï 🎉"];
  for (const reference of references) {
    const added = await call("POST", path, { reference });
    assert.deepEqual([added.status, added.body.created], [201, true]);
  }
  const again = await call("POST", path, { reference: "sports" });
  assert.deepEqual([again.status, again.body.created], [200, false]);
  const list = async () =>
    (await call("GET", path)).body.categories.map(
      ({ reference }: { reference: string }) => reference,
    );
  assert.deepEqual(await list(), references);
  const removed = await call(
    "DELETE",
    `${path}?reference=${encodeURIComponent("a/b?c=d&e")}`,
  );
  assert.equal(removed.status, 204);
  assert.deepEqual(await list(), ["sports", " x ", "Ünï 🎉"]);
  const missing = await call("DELETE", `${path}?reference=none`);
  assert.deepEqual(
    [missing.status, missing.body.code],
    [404, "CATEGORY_NOT_FOUND"],
  );
  for (const reference of ["", "*", "x".repeat(257), 1, "\u0000"]) {
    const refused = await call("POST", path, { reference });
    assert.deepEqual(
      [refused.status, refused.body.code],
      [400, "CATEGORY_INVALID"],
      String(reference),
    );
  }
});

test("subscribers are created, changed and deleted, with what they follow", async () => {
  await using server = await startTestServer();
  const { call } = server;
  await createAccount(server, "publishers", "news");
  const device = await createAccount(server, "subscribers", "device", {
    quota: 7,
    legacyConfirm: "off",
  });
  await follow(server, "device", ["a", "b"]);
  const { body: shown } = await call("GET", "/api/v2/subscribers/device");
  const { secret: _, ...rest } = device;
  assert.deepEqual(shown, {
    ...rest,
    hasSecret: true,
    quota: 7,
    legacyConfirm: "off",
    disabled: false,
    confirmsById: false,
    depth: 0,
    createdAt: "2026-01-01T00:00:00.000Z",
    counts: { waiting: 0, leased: 0, dead: 0 },
  });
  const following = "/api/v2/subscribers/device/following";
  assert.deepEqual((await call("GET", following)).body, {
    following: [{ publisher: "news", categories: ["a", "b"] }],
  });
  const left = await call("DELETE", `${following}?publisher=news&category=a`);
  assert.deepEqual(left.body, {
    following: [{ publisher: "news", categories: ["b"] }],
  });
  const all = await call("DELETE", `${following}?publisher=news`);
  assert.deepEqual(all.body, { following: [] });
  const changed = await call("PATCH", "/api/v2/subscribers/device", {
    quota: 9,
  });
  assert.deepEqual(
    [changed.body.quota, changed.body.legacyConfirm],
    [9, "off"],
  );
  const rotated = await call("POST", "/api/v2/subscribers/device/secret");
  assert.notEqual(rotated.body.secret, device.secret);
  const fetchWith = async (secret: string) =>
    (
      await ask(
        server,
        "GET",
        "/api/v2/subscriptions/device/messages",
        undefined,
        { authorization: basicOf({ id: device.id, secret }) },
      )
    ).status;
  assert.equal(await fetchWith(device.secret), 401);
  assert.equal(await fetchWith(rotated.body.secret), 200);
  assert.equal(
    (await call("DELETE", "/api/v2/subscribers/device")).status,
    204,
  );
  assert.equal(await fetchWith(rotated.body.secret), 401);
});

test("a subscription makes a mailbox, which can be given credentials", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  await call("POST", `${base}/topics`, { name: "alerts" });
  await call(
    "POST",
    `/api/v2/topics/${server.topicUrn("alerts")}/subscriptions`,
    { protocol: "pull", endpoint: "worker" },
  );
  const { body } = await call("GET", "/api/v2/subscribers/worker");
  assert.deepEqual([body.hasSecret, body.quota], [false, 100_000]);
  const { body: rotated } = await call(
    "POST",
    "/api/v2/subscribers/worker/secret",
  );
  const answer = await ask(
    server,
    "GET",
    "/api/v2/subscriptions/worker/messages",
    undefined,
    { authorization: basicOf(rotated) },
  );
  assert.deepEqual([answer.status, answer.body], [200, []]);
});

test("what cannot be is refused by name", async () => {
  await using server = await startTestServer();
  const { call } = server;
  await createAccount(server, "publishers", "news");
  await createAccount(server, "subscribers", "device");
  const cases = [
    ["POST", "publishers", { name: "news" }, 409, "PUBLISHER_EXISTS"],
    ["POST", "publishers", { name: "" }, 400, "PUBLISHER_INVALID"],
    ["POST", "publishers", { name: "a b" }, 400, "PUBLISHER_INVALID"],
    ["POST", "publishers", { name: 1 }, 400, "PUBLISHER_INVALID"],
    ["POST", "publishers", {}, 400, "PUBLISHER_INVALID"],
    ["POST", "subscribers", { name: "device" }, 409, "SUBSCRIBER_EXISTS"],
    ["POST", "subscribers", { name: "../x" }, 400, "SUBSCRIBER_INVALID"],
    ["POST", "subscribers", { name: "x", quota: 0 }, 400, "SUBSCRIBER_INVALID"],
    [
      "POST",
      "subscribers",
      { name: "x", quota: 10_000_001 },
      400,
      "SUBSCRIBER_INVALID",
    ],
    [
      "POST",
      "subscribers",
      { name: "x", legacyConfirm: "maybe" },
      400,
      "SUBSCRIBER_INVALID",
    ],
    ["PATCH", "subscribers/no", { quota: 1 }, 404, "SUBSCRIBER_NOT_FOUND"],
    ["GET", "publishers?after=x", undefined, 400, "PAGE_INVALID"],
    ["GET", "subscribers?limit=0", undefined, 400, "PAGE_INVALID"],
    [
      "POST",
      "subscribers/device/following",
      { publisher: "none" },
      404,
      "PUBLISHER_NOT_FOUND",
    ],
    [
      "POST",
      "subscribers/device/following",
      { publisher: "news", categories: ["none"] },
      404,
      "CATEGORY_NOT_FOUND",
    ],
    [
      "POST",
      "publishers/none/messages",
      { message: "m" },
      404,
      "PUBLISHER_NOT_FOUND",
    ],
  ] as const;
  for (const [method, path, body, status, code] of cases) {
    const answer = await call(method, `/api/v2/${path}`, body);
    assert.deepEqual(
      [answer.status, answer.body.code],
      [status, code],
      `${method} ${path} ${JSON.stringify(body)} ${answer.body.detail}`,
    );
  }
});

test("changes of accounts stand in the audit log, without secrets", async () => {
  await using server = await startTestServer();
  const { call } = server;
  const news = await createAccount(server, "publishers", "news");
  await createAccount(server, "subscribers", "device");
  await follow(server, "device", ["a"]);
  await call("POST", "/api/v2/publishers/news/secret");
  await call("PATCH", "/api/v2/subscribers/device", { quota: 3 });
  const { body } = await call("GET", "/api/v2/audit");
  const entries: { action: string; details?: object }[] = body.entries;
  const actions = entries.map(({ action }) => action);
  for (const action of [
    "publisher.create",
    "category.add",
    "publisher.rotate",
    "subscriber.create",
    "subscriber.follow",
    "subscriber.change",
  ]) {
    assert.ok(actions.includes(action), action);
  }
  const created = entries.find(({ action }) => action === "publisher.create");
  assert.deepEqual(created?.details, { id: news.id, name: "news" });
  assert.ok(!JSON.stringify(body).includes(news.secret));
});
