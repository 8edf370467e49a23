import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ProjectId,
  type StoredMessage,
  type StoredMessages,
  toEpochMs,
} from "@carillon/core";
import { createOwnMessages } from "./own-messages.ts";

const projectId = "0".repeat(32) as ProjectId;

/** As core answers it, with all that a message may have. */
const full = {
  id: "d1",
  channel: "sms",
  createdAt: toEpochMs(1000),
  changedAt: toEpochMs(3000),
  sentAt: toEpochMs(2000),
  to: "+420777123456",
  text: "Hello",
  attachments: [],
  templateSlug: "welcome",
  pymessState: { name: "SENDING", number: 3 },
  backend: "main",
  extraData: { order: 7 },
  extraSenderData: { price: "0.05" },
  tag: "greeting",
  priority: 1,
  relatedObjects: [
    {
      type: "user",
      id: "7",
      createdAt: toEpochMs(1000),
      changedAt: toEpochMs(1000),
    },
  ],
  failed: false,
  isFinal: false,
  isFailure: false,
  message: { expiresAt: toEpochMs(9000) },
  delivery: {
    state: "sent",
    attemptCount: 1,
    attempts: [
      {
        at: toEpochMs(2000),
        durationMs: 12,
        provider: "main",
        outcome: "accepted",
      },
    ],
    receipts: [
      {
        entry: "main",
        externalId: "x",
        event: "accept",
        at: toEpochMs(2500),
      },
    ],
    segments: 1,
  },
} as unknown as StoredMessage;

interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Stored messages that note what they are asked, and answer always the same. */
function setUp(answers: Readonly<Record<string, unknown>> = {}) {
  const calls: Call[] = [];
  const messages = new Proxy({} as StoredMessages, {
    get:
      (_, name) =>
      async (...args: readonly unknown[]) => {
        calls.push({ name: String(name), args });
        const answer = answers[String(name)];
        return typeof answer === "function" ? answer(...args) : answer;
      },
  });
  let isOpen = true;
  const own = createOwnMessages<{ readonly text: string }, object>({
    channel: "sms",
    projectId,
    messages,
    isOpen: () => isOpen,
  });
  const close = () => {
    isOpen = false;
  };
  return { own, calls, close };
}

test("a message is asked for in core's words, and answered as plain data", async () => {
  const { own, calls } = setUp({ send: full });
  const message = await own.send({
    to: "+420777123456",
    text: "Hello",
    tag: "greeting",
    relatedObjects: [{ type: "user", id: 7 }],
    priority: 1,
    notBefore: new Date(5000),
    timeToLiveSeconds: 60,
    extraData: { order: 7 },
  });
  assert.deepEqual(calls, [
    {
      name: "send",
      args: [
        projectId,
        {
          to: "+420777123456",
          text: "Hello",
          tag: "greeting",
          relatedObjects: [{ type: "user", id: 7 }],
          priority: 1,
          extraData: { order: 7 },
          timeToLive: 60,
          notBefore: 5000,
          waitMs: 10_000,
        },
      ],
    },
  ]);
  assert.deepEqual(message, {
    id: "d1",
    channel: "sms",
    createdAt: new Date(1000),
    changedAt: new Date(3000),
    sentAt: new Date(2000),
    to: "+420777123456",
    text: "Hello",
    attachments: [],
    templateSlug: "welcome",
    state: "sent",
    pymessState: { name: "SENDING", number: 3 },
    backend: "main",
    extraData: { order: 7 },
    extraSenderData: { price: "0.05" },
    tag: "greeting",
    priority: 1,
    relatedObjects: [
      {
        type: "user",
        id: "7",
        createdAt: new Date(1000),
        changedAt: new Date(1000),
      },
    ],
    attempts: 1,
    attemptList: [
      {
        at: new Date(2000),
        durationMs: 12,
        backend: "main",
        outcome: "accepted",
      },
    ],
    receipts: [{ at: new Date(2500), backend: "main", event: "accept" }],
    expiresAt: new Date(9000),
    segments: 1,
    failed: false,
    isFinal: false,
    isFailure: false,
  });
});

test("a bulk is not waited for unless it is asked", async () => {
  const { own, calls } = setUp({ sendBulk: [full, full] });
  const to = ["+420777123456", "+420777123457"];
  assert.equal((await own.sendBulk({ to, text: "Hi" })).length, 2);
  await own.sendBulk({ to, text: "Hi", waitMs: 5 });
  assert.deepEqual(
    calls.map(({ args: [, request] }) => request),
    [
      { to, text: "Hi", waitMs: 0 },
      { to, text: "Hi", waitMs: 5 },
    ],
  );
});

test("a template that may not be sent is no message", async () => {
  const refused = setUp({ sendTemplate: { refusals: ["duplicate"] } });
  const request = { to: "+420777123456", slug: "welcome", context: {} };
  assert.equal(await refused.own.sendTemplate(request), undefined);
  const { own } = setUp({ sendTemplate: { message: full } });
  assert.equal((await own.sendTemplate(request))?.id, "d1");
});

test("a list is read page by page as it is asked for", async () => {
  const { own, calls } = setUp({
    list: (_: string, __: object, { before }: { before?: string }) => ({
      messages: [full, full],
      ...(before === undefined && { next: "d0" }),
    }),
  });
  const since = new Date(1000);
  const query = { since, relatedObjects: [{ type: "user", id: 7 }] };
  const reader = own.list(query)[Symbol.asyncIterator]();
  await reader.next();
  assert.equal(calls.length, 1);
  assert.equal((await Array.fromAsync(own.list(query))).length, 4);
  assert.deepEqual(calls.at(-1)?.args, [
    projectId,
    { since: 1000, relatedObjects: [{ type: "user", id: "7" }] },
    { limit: 100, before: "d0" },
  ]);
});

test("who acts is the program", async () => {
  const { own, calls } = setUp({ cancel: full, retry: full });
  await own.cancel("d1", "no longer true");
  await own.retry("d1");
  const program = { userId: "program", userName: "program" };
  assert.deepEqual(calls, [
    { name: "cancel", args: [projectId, "d1", program, "no longer true"] },
    { name: "retry", args: [projectId, "d1", program, undefined] },
  ]);
});

test("related objects are found by number and by text", async () => {
  const { own, calls } = setUp({
    wasSent: true,
    addRelatedObjects: full.relatedObjects,
    setRelatedObjects: [],
  });
  assert.equal(await own.wasSent("welcome", { type: "user", id: 7 }), true);
  const [added] = await own.relatedObjects.add("d1", [
    { type: "user", id: "7" },
  ]);
  assert.deepEqual(added?.createdAt, new Date(1000));
  await own.relatedObjects.set("d1", [], { type: "user" });
  assert.deepEqual(calls, [
    { name: "wasSent", args: [projectId, "welcome", [userSeven]] },
    { name: "addRelatedObjects", args: [projectId, "d1", [userSeven]] },
    { name: "setRelatedObjects", args: [projectId, "d1", [], "user"] },
  ]);
});

const userSeven = { type: "user", id: "7" };

for (const [title, request, code, message] of [
  ["nothing", undefined, "REQUEST_INVALID", /An object with to, text/],
  ["a list", [], "REQUEST_INVALID", /An object with to, text/],
  [
    "a member that is not known",
    { to: "1", txt: "Hi" },
    "REQUEST_INVALID",
    /no member txt; did you mean text\?/,
  ],
  [
    "a date that is none",
    { to: "1", text: "Hi", notBefore: new Date("x") },
    "REQUEST_INVALID",
    /valid Date is expected as notBefore/,
  ],
  [
    "a number in place of a date",
    { to: "1", text: "Hi", notBefore: 5 },
    "REQUEST_INVALID",
    /valid Date is expected as notBefore/,
  ],
] as const) {
  test(`a request is refused before it is made: ${title}`, async () => {
    const { own, calls } = setUp();
    // As a program in JavaScript may have it.
    const wrong = request as unknown as { to: string; text: string };
    await assert.rejects(own.send(wrong), { code, message });
    assert.deepEqual(calls, []);
  });
}

test("queries and related objects are checked likewise", async () => {
  const { own, calls } = setUp();
  const query = { sinc: new Date() } as object;
  await assert.rejects(own.page(query), { code: "REQUEST_INVALID" });
  await assert.rejects(own.wasSent("a", { type: "a b", id: 1 }), {
    code: "MESSAGE_OPTION_INVALID",
    message: /relatedObjects\[0\]/,
  });
  assert.deepEqual(calls, []);
});

test("after it is closed nothing is asked for", async () => {
  const { own, calls, close } = setUp();
  close();
  const closed = { code: "SHUTTING_DOWN" };
  await assert.rejects(own.send({ to: "1", text: "Hi" }), closed);
  await assert.rejects(own.find("d1"), closed);
  await assert.rejects(Array.fromAsync(own.list()), closed);
  assert.deepEqual(calls, []);
});
