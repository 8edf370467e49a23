/** A subscriber of the Notipy protocol, and of what Carillon has beyond it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FailedToConfirmMessageError,
  FailedToReceiveMessageError,
  ForbiddenError,
  InvalidCredentialsError,
  InvalidOptionsError,
  SmnError,
} from "../errors.ts";
import { type Answer, serve, unusedUrl } from "../testing/serve.ts";
import { serveMailbox, wireMessage } from "../testing/serve-mailbox.ts";
import type { Message } from "./message.ts";
import { Subscriber } from "./subscriber.ts";

const account = { id: "s1", secret: "sécret" } as const;
const authorization = `Basic ${Buffer.from("s1:sécret").toString("base64")}`;

const wire = (id: unknown, created = "2026-12-24T08:00:00") => ({
  id,
  body: `text ${id}`,
  created,
});

/** Answers GETs with these lists in turn, then with empty ones; and PUTs. */
function lists(...polled: readonly unknown[][]): Answer {
  let polls = 0;
  return ({ method }) =>
    method === "GET"
      ? { body: JSON.stringify(polled[polls++] ?? []) }
      : { status: 202, body: { confirmed: 1 } };
}

test("polls once, and confirms each message once", async () => {
  await using server = await serve(lists([wire(7), wire("8")]));
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const [first, second] = await subscriber.pollMessages();
  assert.deepEqual(
    [first?.id, first?.body, first?.created, first?.confirmed],
    ["7", "text 7", new Date("2026-12-24T08:00:00Z"), false],
  );
  await first?.confirm();
  await first?.confirm();
  assert.equal(first?.confirmed, true);
  assert.equal(second?.confirmed, false);
  assert.deepEqual(
    server.requests.map(({ method, path, json }) => [method, path, json]),
    [
      ["GET", "/api/v1/notification", undefined],
      ["PUT", "/api/v1/notification", { messages: ["7"], success: true }],
    ],
  );
  for (const { headers } of server.requests) {
    assert.equal(headers.authorization, authorization);
  }
});

test("confirms many in one request, but for those that are", async () => {
  await using server = await serve(lists([wire(1), wire(2), wire(3)]));
  const baseUrl = `${server.url}/api/v1/`;
  const subscriber = new Subscriber({ ...account, baseUrl });
  const messages = await subscriber.pollMessages();
  await messages[1]?.confirm();
  await subscriber.confirmAll(messages);
  await subscriber.confirmAll(messages);
  assert.ok(messages.every(({ confirmed }) => confirmed));
  assert.deepEqual(
    server.requests.slice(1).map(({ json }) => json),
    [
      { messages: ["2"], success: true },
      { messages: ["1", "3"], success: true },
    ],
  );
});

test("404 means that the credentials are wrong, whatever is asked for", async () => {
  await using server = await serve(({ method }) =>
    method === "GET"
      ? { body: JSON.stringify([wire(1)]) }
      : { status: 404, body: "nobody" },
  );
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const [message] = await subscriber.pollMessages();
  await assert.rejects(async () => message?.confirm(), {
    name: "InvalidCredentialsError",
    code: "INVALID_CREDENTIALS",
    status: 404,
    text: "nobody",
  });
  assert.equal(message?.confirmed, false);
  await using other = await serve(() => ({ status: 404 }));
  await assert.rejects(
    new Subscriber({ ...account, baseUrl: other.url }).pollMessages(),
    InvalidCredentialsError,
  );
});

for (const status of [201, 204, 302, 401, 403, 429, 500]) {
  test(`a poll that is answered with ${status} has failed`, async () => {
    await using server = await serve(() => ({
      status,
      body: status === 204 ? "" : "[]",
      headers: { location: "/elsewhere" },
    }));
    const subscriber = new Subscriber({ ...account, baseUrl: server.url });
    await assert.rejects(subscriber.pollMessages(), (error) => {
      assert.ok(error instanceof FailedToReceiveMessageError);
      assert.equal(error.status, status);
      return true;
    });
    assert.equal(server.requests.length, 1);
  });
}

test("what is no list of messages is a failed poll", async () => {
  for (const body of [
    "<html>",
    {},
    "[1]",
    [{ id: 1 }],
    [{ ...wire(1), body: 7 }],
    [wire(1, "yesterday")],
    [wire("")],
  ]) {
    await using server = await serve(() => ({
      body: typeof body === "string" ? body : JSON.stringify(body),
    }));
    const subscriber = new Subscriber({ ...account, baseUrl: server.url });
    await assert.rejects(subscriber.pollMessages(), {
      name: "FailedToReceiveMessageError",
      status: 200,
    });
  }
});

test("wraps what the network does", async () => {
  const baseUrl = await unusedUrl();
  const subscriber = new Subscriber({ ...account, baseUrl, timeoutMs: 50 });
  await assert.rejects(subscriber.pollMessages(), (error) => {
    assert.ok(error instanceof FailedToReceiveMessageError);
    assert.equal(error.status, undefined);
    assert.equal(error.text, "");
    assert.ok(error.cause instanceof SmnError);
    assert.equal(error.cause.code, "CONNECTION_FAILED");
    return true;
  });
  await using server = await serve(({ method }) =>
    method === "GET" ? { body: JSON.stringify([wire(1)]) } : "drop",
  );
  const [message] = await new Subscriber({
    ...account,
    baseUrl: server.url,
  }).pollMessages();
  await assert.rejects(
    async () => message?.confirm(),
    FailedToConfirmMessageError,
  );
});

test("an abort is no failure of the poll", async () => {
  await using server = await serve(() => "hang");
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const signal = AbortSignal.timeout(20);
  await assert.rejects(subscriber.pollMessages({ signal }), {
    name: "TimeoutError",
  });
});

test("refuses what cannot be credentials, without a request", () => {
  const baseUrl = "https://notifi.example";
  for (const wrong of [
    { id: "a:b", secret: "s", baseUrl },
    { id: "", secret: "s", baseUrl },
    { id: "a", secret: "", baseUrl },
    { id: "a", secret: "s", baseUrl: "ftp://notifi.example" },
  ]) {
    assert.throws(() => new Subscriber(wrong), InvalidOptionsError);
  }
});

test("polls again and again, calling back once per poll with the list", async () => {
  await using server = await serve(lists([wire(1), wire(2)], [], [wire(3)]));
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const called: string[][] = [];
  const enough = new AbortController();
  const polling = subscriber.pollMessagesBlocking({
    pollEveryMs: 5,
    signal: enough.signal,
    callback: async (messages) => {
      called.push(messages.map(({ id }) => id));
      await subscriber.confirmAll(messages);
      if (called.length === 3) enough.abort(new Error("enough"));
    },
  });
  await assert.rejects(polling, /enough/);
  assert.deepEqual(called, [["1", "2"], [], ["3"]]);
  assert.deepEqual(
    server.requests.map(({ method }) => method),
    ["GET", "PUT", "GET", "GET", "PUT"],
  );
});

test("what the callback throws ends the polling", async () => {
  await using server = await serve(lists([wire(1)]));
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const callback = () => {
    throw new Error("mine");
  };
  await assert.rejects(subscriber.pollMessagesBlocking({ callback }), /mine/);
  await assert.rejects(
    subscriber.pollMessagesAsync({ callback }).ended,
    /mine/,
  );
});

test("waits out failures that pass, but for the first poll's", async () => {
  const statuses = [200, 503, 429, 0, 502, 200, 500];
  let polls = 0;
  await using server = await serve(() => {
    const status = statuses[polls++] ?? 404;
    return status === 0
      ? "drop"
      : { status, body: JSON.stringify([wire(polls)]) };
  });
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const told: unknown[] = [];
  await assert.rejects(
    subscriber.pollMessagesBlocking({
      pollEveryMs: 1,
      callback: (messages) => told.push(messages.length),
      onConnection: (state) => told.push(state),
    }),
    { name: "FailedToReceiveMessageError", status: 500 },
  );
  assert.deepEqual(told, [1, "lost", "restored", 1]);
  polls = 1;
  await assert.rejects(
    subscriber.pollMessagesBlocking({ callback: () => {} }),
    { status: 503 },
  );
});

test("polls in the background until it is stopped", async () => {
  await using server = await serve(lists([wire(1)]));
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const called = Promise.withResolvers<readonly Message[]>();
  const polling = subscriber.pollMessagesAsync({
    callback: called.resolve,
    name: "disks",
    pollEveryMs: 60_000,
  });
  assert.equal(polling.name, "disks");
  assert.equal((await called.promise).length, 1);
  await polling.stop();
  await polling.ended;
  await polling.stop();
  assert.equal(server.requests.length, 1);
});

test("what ends polling in the background does not end the program", async () => {
  await using server = await serve(() => ({ status: 404 }));
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", note);
  try {
    const told = Promise.withResolvers<unknown>();
    subscriber.pollMessagesAsync({ callback() {}, onError: told.resolve });
    assert.ok((await told.promise) instanceof InvalidCredentialsError);
    await new Promise(setImmediate);
  } finally {
    process.off("unhandledRejection", note);
  }
  assert.deepEqual(unhandled, []);
});

test("loops over messages of many polls", async () => {
  await using server = await serve(lists([wire(1), wire(2)], [], [wire(3)]));
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const ids: string[] = [];
  for await (const message of subscriber.messages({ pollEveryMs: 1 })) {
    ids.push(message.id);
    await message.confirm();
    if (message.id === "3") break;
  }
  assert.deepEqual(ids, ["1", "2", "3"]);
  const pollEveryMs = 2 ** 31;
  await assert.rejects(
    subscriber.messages({ pollEveryMs }).next(),
    InvalidOptionsError,
  );
});

const deadMessage = {
  id: "m9",
  deliveryCount: 10,
  reason: "handed out 10 times",
  diedAt: "2026-12-24T08:10:00.000Z",
  createdAt: "2026-12-24T08:00:00.000Z",
};

test("receives with leases, and settles them by its own credentials", async () => {
  await using server = await serve(({ path, method }) => {
    if (path.endsWith("/messages")) {
      return { body: JSON.stringify([wireMessage(1), wireMessage(2)]) };
    }
    if (path.endsWith("dead:redrive")) return { body: { redriven: 2 } };
    if (method === "GET") {
      return { body: { dead: [deadMessage] } };
    }
    return { body: { stale: ["1.1.2"] } };
  });
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  const received = await subscriber.receive({
    max: 2,
    waitSeconds: 20,
    leaseSeconds: 30,
  });
  assert.deepEqual(await subscriber.ack(received), {
    settled: ["1.1.1"],
    stale: ["1.1.2"],
  });
  assert.equal(await received[1]?.nack({ delayMs: 7 }), false);
  await subscriber.extend(["1.1.1"], 60);
  await subscriber.nack(["1.1.1"]);
  const [dead] = await Array.fromAsync(subscriber.dead());
  assert.deepEqual(dead, deadMessage);
  assert.equal(await subscriber.redrive(["m9"]), 2);
  const place = "/api/v2/subscriptions/s1";
  assert.deepEqual(
    server.requests.map(({ path, query, json }) => [
      path,
      String(query) || json,
    ]),
    [
      [`${place}/messages`, "max=2&wait=20&lease=30"],
      [`${place}/messages:ack`, { leaseIds: ["1.1.1", "1.1.2"] }],
      [`${place}/messages:nack`, { leaseIds: ["1.1.2"], delayMs: 7 }],
      [`${place}/messages:extend`, { leaseIds: ["1.1.1"], seconds: 60 }],
      [`${place}/messages:nack`, { leaseIds: ["1.1.1"] }],
      [`${place}/dead`, "limit=100"],
      [`${place}/dead:redrive`, { ids: ["m9"] }],
    ],
  );
  for (const { headers } of server.requests) {
    assert.equal(headers.authorization, authorization);
  }
});

test("streams by its own credentials", async () => {
  await using server = await serveMailbox([
    ({ response }) => {
      response.writeHead(403, { "content-type": "application/problem+json" });
      response.end("{}");
    },
  ]);
  const subscriber = new Subscriber({ ...account, baseUrl: server.url });
  await assert.rejects(subscriber.stream().next(), ForbiddenError);
});
