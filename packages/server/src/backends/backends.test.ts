/** An application's own backends and router, in a server composed with them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createLinks, createSmsChannel } from "@carillon/channels";
import { type ProjectId, silentLogger } from "@carillon/core";
import {
  type Backend,
  type BackendMessage,
  backendErrors,
  Gateway,
  NullProvider,
  type RecipientRouter,
  toProvider,
} from "@carillon/gateway";
import { startTestServer, testKey } from "../../test-support/test-server.ts";
import { createSubscriptionTokens } from "../subscription-tokens.ts";

async function setUp(
  backend: Partial<Backend>,
  recipientRouter?: RecipientRouter,
) {
  const gateway = new Gateway({ ...(recipientRouter && { recipientRouter }) });
  const whole = { publishMessage: () => {}, ...backend };
  gateway.addProvider("mine", toProvider(whole));
  gateway.addProvider("debug", new NullProvider());
  const texts = createSmsChannel({
    gateway,
    links: createLinks({
      publicUrl: () => "https://notify.example",
      tokens: createSubscriptionTokens(testKey),
      region: "test-1",
    }),
    logger: silentLogger,
  });
  const server = await startTestServer({ gateway, texts });
  const projectId = server.credentials.project.id as ProjectId;
  const { sms } = server.stored;
  const find = async (id: string) => {
    const found = await sms.find(projectId, id);
    assert.ok(found);
    return found;
  };
  return {
    server,
    gateway,
    find,
    send: async (request: object = {}) => {
      const { id } = await sms.send(projectId, {
        to: "+420777123456",
        text: "Hello",
        ...request,
      });
      await server.clock.advanceSettled(10);
      return await find(id);
    },
  };
}

test("a backend sees the stored message, and what it says is kept with it", async () => {
  const seen: BackendMessage[] = [];
  const { server, send } = await setUp({
    publishMessage(message) {
      seen.push(message);
      return { externalId: 7, senderData: { code: 0, price: 2 } };
    },
    getExtraMessageData: () => ({ sender: "Shop" }),
    getExtraSenderData: () => ({ line: "gold" }),
  });
  await using _ = server;
  const message = await send({
    tag: "orders",
    priority: 1,
    extraData: { order: 7 },
    relatedObjects: [{ type: "order", id: 7 }],
  });
  assert.deepEqual(seen, [
    {
      id: message.id,
      to: "+420777123456",
      text: "Hello",
      sender: "Shop",
      priority: 1,
      tag: "orders",
      extraData: { order: 7 },
      relatedObjects: [{ type: "order", id: "7" }],
      validityMinutes: 240,
      params: {},
    },
  ]);
  const { sender, backend, extraSenderData, pymessState, isFinal } = message;
  assert.deepEqual([sender, backend, isFinal], ["Shop", "mine", true]);
  assert.deepEqual(pymessState, { name: "SENT", number: 4 });
  assert.deepEqual(extraSenderData, {
    sender: "Shop",
    line: "gold",
    price: 2,
    sender_state: 0,
  });
});

for (const [title, backend, name, number] of [
  ["sent", { publishMessage: () => ({ state: "sent" }) }, "SENT", 4],
  [
    "delivered",
    { publishMessage: () => ({ state: "delivered" }) },
    "DELIVERED",
    7,
  ],
  ["debug", { publishMessage: () => ({ state: "debug" }) }, "DEBUG", 6],
  ["unknown", { publishMessage: () => ({ state: "unknown" }) }, "UNKNOWN", 2],
  [
    "rejected",
    { publishMessage: () => ({ state: "rejected" }) },
    "ERROR_UPDATE",
    5,
  ],
  ["sending", { publishMessage: () => ({ state: "sending" }) }, "SENDING", 3],
  [
    "a server error",
    {
      publishMessage: () => {
        throw new backendErrors.ServerError("busy");
      },
    },
    "ERROR_RETRY",
    9,
  ],
  [
    "a defect",
    {
      publishMessage: () => {
        throw new TypeError("x is undefined");
      },
    },
    "UNKNOWN",
    2,
  ],
] as const satisfies readonly (readonly [
  string,
  Partial<Backend>,
  string,
  number,
])[]) {
  test(`what a backend says is ${title} is ${name}`, async () => {
    const { server, send } = await setUp(backend);
    await using _ = server;
    assert.deepEqual((await send()).pymessState, { name, number });
  });
}

test("the debug backend sends nothing, and counts as an attempt", async () => {
  const { server, send } = await setUp({});
  await using _ = server;
  const message = await send({ backend: "debug" });
  assert.deepEqual(message.pymessState, { name: "DEBUG", number: 6 });
  assert.equal(message.delivery.attempts.length, 1);
  assert.notEqual(message.sentAt, undefined);
  assert.equal(message.isFinal, true);
  assert.equal(message.failed, false);
});

test("a backend is asked what became of its texts", async () => {
  const asked: string[] = [];
  const { server, send, find } = await setUp({
    publishMessage: () => ({ externalId: "a" }),
    checkStates(messages) {
      asked.push(...messages.map(({ externalId }) => externalId));
      return [{ externalId: "a", state: "delivered" }];
    },
  });
  await using _ = server;
  const message = await send();
  assert.equal(message.pymessState.name, "SENDING");
  await server.clock.advanceSettled(40_000);
  assert.deepEqual(asked, ["a"]);
  assert.equal((await find(message.id)).pymessState.name, "DELIVERED");
});

test("a router re-routes what is queued; a backend that is named is not asked about", async () => {
  let name = "mine";
  const { server, send, find } = await setUp(
    {
      publishMessage() {
        throw new backendErrors.ServerError("busy");
      },
    },
    (recipient) => (recipient.startsWith("+420") ? name : undefined),
  );
  await using _ = server;
  const queued = await send();
  assert.deepEqual(
    [queued.backend, queued.pymessState.name],
    ["mine", "ERROR_RETRY"],
  );
  const named = await send({ backend: "debug" });
  assert.equal(named.pymessState.name, "DEBUG");
  name = "debug";
  await server.clock.advanceSettled(60_000);
  const later = await find(queued.id);
  assert.deepEqual([later.backend, later.pymessState.name], ["debug", "DEBUG"]);
});

test("a router's unknown name fails the text with the reason", async () => {
  const { server, send } = await setUp({}, () => "nowhere");
  await using _ = server;
  const message = await send();
  assert.equal(message.pymessState.name, "ERROR");
  assert.equal(
    message.error,
    'The router named the provider "nowhere", which there is not.',
  );
  assert.equal(message.backend, undefined);
});

test("a router that fails is told of, and the text waits", async () => {
  let isDown = true;
  const { server, send, find } = await setUp({}, () => {
    if (isDown) throw new Error("no database");
    return "mine";
  });
  await using _ = server;
  const first = await send();
  await send();
  assert.equal(first.pymessState.name, "WAITING");
  assert.deepEqual(
    server.complaints.map(({ event }) => event),
    ["sms_router_failed"],
  );
  isDown = false;
  await server.clock.advanceSettled(60_000);
  assert.equal((await find(first.id)).pymessState.name, "SENT");
});
