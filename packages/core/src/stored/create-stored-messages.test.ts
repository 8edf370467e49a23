import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createCountingIds,
  defineTestProtocol,
  ManualClock,
  MemoryStore,
} from "@carillon/testing";
import { createDeliveryActions } from "../engine/delivery-actions.ts";
import { createDirectIntake } from "../engine/direct-intake.ts";
import { createRequestChecks } from "../engine/request-checks.ts";
import { CarillonError } from "../errors.ts";
import type { ProjectId } from "../ids.ts";
import type { RelatedObject } from "../messages/message.ts";
import type { WrittenDelivery } from "../ports/delivery-listener.ts";
import { createProtocols } from "../subscriptions/protocol.ts";
import { addMs } from "../time.ts";
import { createTopics } from "../topics/topics.ts";
import { createStoredMessages } from "./create-stored-messages.ts";
import { OutcomeWaits } from "./outcome-waits.ts";
import type { StoredChannel } from "./stored-message.ts";
import type {
  StoredMessageFilter,
  StoredMessageRequest,
} from "./stored-messages.ts";
import type { StoredChannelRules } from "./stored-requests.ts";
import type { StoredTemplate, TemplateRenderer } from "./stored-templates.ts";

const projectId = "1".repeat(32) as ProjectId;
const phone = "+420777123456";
const order: RelatedObject = { type: "order", id: "7" };
const user: RelatedObject = { type: "user", id: "alice" };
const actor = { userId: "u", userName: "alice" };

function setUp({
  channel = "sms" as StoredChannel,
  rules = {} as StoredChannelRules,
  template = {} as Partial<StoredTemplate>,
} = {}) {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const newId = createCountingIds();
  const protocols = createProtocols([
    defineTestProtocol("sms", {
      problemWithEndpoint: (endpoint) =>
        /^\+\d+$/.test(endpoint) ? undefined : "it is no number",
    }),
    defineTestProtocol("email"),
  ]);
  const hints: { readonly dueInMs: number }[] = [];
  const dispatcher = {
    offer: (hint: { readonly dueInMs: number }) => hints.push(hint),
    broadcast() {},
    listen: () => () => {},
    async close() {},
  };
  const direct = createDirectIntake({
    store,
    checks: createRequestChecks({
      store,
      clock,
      newMessageId: newId,
      protocols,
      smsProviders: () => ["ats"],
    }),
    dispatcher,
    clock,
    isOpen: () => true,
    onAccepted() {},
    isBillable: (protocol) => protocol === "sms",
    isFetched: () => false,
    lives: { sms: 14_400, email: 259_200 },
  });
  const templates: TemplateRenderer = {
    async get(_project, ofChannel, slug) {
      if (slug !== "shipped") throw new CarillonError("TEMPLATE_NOT_FOUND");
      return {
        channel: ofChannel === "sms" ? "sms" : "email",
        slug,
        body: "",
        isActive: true,
        isLocked: false,
        allowsDuplicates: true,
        isStrict: false,
        createdAt: clock.now(),
        changedAt: clock.now(),
        ...template,
      };
    },
    async render(_project, found, context, recipient) {
      if (context === undefined && found.isStrict) {
        throw new CarillonError("TEMPLATE_RENDERING_FAILED");
      }
      return {
        template: found,
        text: `${JSON.stringify(context)} to ${recipient}`,
      };
    },
    refusals: async ({ isActive }) => (isActive ? [] : ["inactive"]),
  };
  const waits = new OutcomeWaits(clock);
  const stored = createStoredMessages({
    channel,
    store,
    direct,
    actions: createDeliveryActions({
      store,
      topics: createTopics({ store, clock, newId }, { region: "local" }),
      dispatcher,
      clock,
      newId,
      rules: { lives: {}, pullProtocols: [] },
      protocols,
      onJob() {},
      onCancelled: (id, target) => waits.onCancelled(id, target),
    }),
    templates,
    waits,
    protocols,
    clock,
    rules,
  });
  const listAll = () => stored.list(projectId, {}, { limit: 9 });
  return { store, clock, stored, waits, hints, listAll };
}

/** Begins an attempt of all that is due, and ends it like this. */
async function attempt(
  { store, clock, waits }: ReturnType<typeof setUp>,
  outcome: Partial<WrittenDelivery["outcome"]>,
): Promise<void> {
  const lease = { owner: "a", leaseMs: 60_000 };
  const kinds = ["delivery"] as const;
  const { deliveries } = await store.claim(lease, { kinds, limit: 9 });
  for (const { messageSeq, recipient, fence } of deliveries) {
    const written = {
      messageSeq,
      target: recipient.target,
      state: "sent",
      attempts: 1,
      lastAttempt: { at: clock.now(), durationMs: 5 },
      fence,
      ...outcome,
    } as const;
    await store.finish({ deliveries: [written] });
    const message = await store.findMessageBySeq(messageSeq);
    assert.ok(message);
    waits.onWritten([{ item: { message, recipient }, outcome: written }]);
  }
}

test("a text is stored with all that it is given, and found so", async () => {
  const { stored, clock, hints } = setUp();
  const message = await stored.send(projectId, {
    to: phone,
    text: "Your order has left.",
    tag: "orders",
    relatedObjects: [order, { type: "item", id: 12 }],
    priority: 1,
    sender: "Shop",
    backend: "ats",
    extraData: { campaign: 3 },
  });
  const now = clock.now();
  assert.equal(message.to, phone);
  assert.equal(message.channel, "sms");
  assert.equal(message.text, "Your order has left.");
  assert.equal(message.sender, "Shop");
  assert.equal(message.backend, "ats");
  assert.equal(message.priority, 1);
  assert.equal(message.tag, "orders");
  assert.deepEqual(message.extraData, { campaign: 3 });
  assert.deepEqual(message.relatedObjects, [
    { ...order, createdAt: now, changedAt: now },
    { type: "item", id: "12", createdAt: now, changedAt: now },
  ]);
  assert.deepEqual(message.pymessState, { name: "WAITING", number: 1 });
  assert.deepEqual(
    [message.failed, message.isFinal, message.isFailure],
    [false, false, false],
  );
  assert.deepEqual(await stored.find(projectId, message.id), message);
  assert.deepEqual(hints, [{ kind: "delivery", dueInMs: 0 }]);
});

test("a message that is cancelled is waited for no longer", async () => {
  const { stored, listAll } = setUp();
  const request = { to: phone, text: "x", waitMs: 15_000 };
  // Its clock stands still: only the cancellation ends it.
  const sending = stored.send(projectId, request);
  await new Promise(setImmediate);
  const [waiting] = (await listAll()).messages;
  assert.equal(waiting?.delivery.state, "waiting");
  const actor = { userId: "u", userName: "ada" };
  await stored.cancel(projectId, waiting.id, actor);
  assert.equal((await sending).delivery.state, "cancelled");
});

test("a priority that is not given is the lowest", async () => {
  const { stored } = setUp();
  const message = await stored.send(projectId, { to: phone, text: "x" });
  assert.equal(message.priority, 3);
});

const refused: readonly (readonly [
  title: string,
  request: Partial<StoredMessageRequest>,
  code: string,
  message: RegExp,
])[] = [
  ["no recipient", { to: undefined }, "RECIPIENTS_INVALID", /recipient/],
  ["no number", { to: "x" }, "RECIPIENTS_INVALID", /it is no number/],
  ["no text", { text: undefined }, "MESSAGE_INVALID", /text/],
  ["a tag too long", { tag: "a".repeat(51) }, "MESSAGE_OPTION_INVALID", /50/],
  ["a tag with blanks", { tag: "a b" }, "MESSAGE_OPTION_INVALID", /tag/],
  ["a subject", { subject: "x" }, "MESSAGE_OPTION_INVALID", /subject/],
  ["HTML", { html: "<p>" }, "MESSAGE_OPTION_INVALID", /html/],
  ["mail options", { email: {} }, "MESSAGE_OPTION_INVALID", /email/],
  ["an unknown backend", { backend: "no" }, "MESSAGE_OPTION_INVALID", /no/],
  [
    "two senders",
    { sender: "A", sms: { sender: "B" } },
    "MESSAGE_OPTION_INVALID",
    /sms.sender/,
  ],
  ["no wait", { waitMs: -1 }, "MESSAGE_OPTION_INVALID", /waitMs/],
  ["no life", { timeToLive: 0 }, "TIME_TO_LIVE_INVALID", /time/],
  [
    "sendImmediately that is no boolean",
    { sendImmediately: 1 },
    "MESSAGE_OPTION_INVALID",
    /sendImmediately/,
  ],
];

for (const [title, request, code, message] of refused) {
  test(`a text with ${title} is refused, and nothing is stored`, async () => {
    const { stored, listAll } = setUp();
    await assert.rejects(
      stored.send(projectId, { to: phone, text: "x", ...request }),
      { code, message },
    );
    assert.deepEqual((await listAll()).messages, []);
  });
}

test("recipient and text are cleaned up before they are kept", async () => {
  const { stored } = setUp({
    rules: {
      cleanRecipient: (to) => String(to).replaceAll(" ", ""),
      cleanText: (text) => text.toUpperCase(),
    },
  });
  const to = "+420 777 123 456";
  const message = await stored.send(projectId, { to, text: "x" });
  assert.equal(message.to, phone);
  assert.equal(message.text, "X");
  const { messages } = await stored.list(projectId, { to }, { limit: 9 });
  assert.deepEqual(messages, [message]);
});

test("batch mode stores only; what is urgent goes at once", async () => {
  const { stored, hints, store } = setUp({
    rules: {
      termsOf: ({ sendImmediately }) => ({
        isBatched: !sendImmediately,
        timeToLiveSeconds: 60,
      }),
    },
  });
  const waiting = await stored.send(projectId, { to: phone, text: "x" });
  assert.equal(waiting.delivery.waitReason, "sms_batch");
  const end = addMs(waiting.createdAt, 60_000);
  assert.equal(waiting.delivery.nextAttemptAt, end);
  assert.equal(waiting.message.expiresAt, end);
  assert.deepEqual(await stored.find(projectId, waiting.id), waiting);
  assert.deepEqual(hints, []);
  const now = await stored.send(projectId, {
    to: phone,
    text: "x",
    sendImmediately: true,
  });
  assert.equal(now.delivery.waitReason, undefined);
  assert.equal(hints.length, 1);
  assert.equal((await store.makeDue("sms_batch", 9)).length, 1);
});

test("a bulk is one message for each recipient, each once", async () => {
  const { stored, listAll } = setUp();
  const to = ["+1", "+2", "+1", "+3"];
  const messages = await stored.sendBulk(projectId, { to, text: "x" });
  assert.deepEqual(
    messages.map((it) => it.to),
    ["+1", "+2", "+3"],
  );
  assert.deepEqual((await listAll()).messages, messages.toReversed());
});

test("one recipient that cannot be used keeps a bulk from being stored", async () => {
  const { stored, listAll } = setUp();
  await assert.rejects(
    stored.sendBulk(projectId, { to: ["+1", "no"], text: "x" }),
    { code: "RECIPIENTS_INVALID", message: /1 of 2 .* to\[1\]: .*no number/ },
  );
  for (const to of [[], "x" as unknown as [], Array(100_001).fill("+1")]) {
    await assert.rejects(stored.sendBulk(projectId, { to, text: "x" }), {
      code: "RECIPIENTS_INVALID",
    });
  }
  assert.deepEqual((await listAll()).messages, []);
});

test("a repeated request answers what was sent first", async () => {
  const { stored, listAll } = setUp();
  const repeatable = {
    projectId,
    key: "k",
    fingerprint: "f",
    requestId: "r1",
  };
  const request = { to: phone, text: "x", repeatable };
  const first = await stored.send(projectId, request);
  const again = await stored.send(projectId, {
    ...request,
    repeatable: { ...repeatable, requestId: "r2" },
  });
  assert.equal(first.repeatsRequestId, undefined);
  assert.deepEqual(again, { ...first, repeatsRequestId: "r1" });
  assert.equal((await listAll()).messages.length, 1);
  await assert.rejects(
    stored.send(projectId, {
      ...request,
      repeatable: { ...repeatable, fingerprint: "g" },
    }),
    { code: "IDEMPOTENCY_KEY_REUSED" },
  );
});

test("a send waits for the outcome, as long as it is told", async () => {
  const world = setUp();
  const sending = world.stored.send(projectId, {
    to: phone,
    text: "x",
    waitMs: 1000,
  });
  await world.clock.advanceSettled(10);
  await attempt(world, { state: "sent", senderData: { price: 2 } });
  const message = await sending;
  assert.deepEqual(message.pymessState, { name: "SENT", number: 4 });
  assert.deepEqual(message.extraSenderData, { price: 2 });
  assert.equal(message.isFinal, true);
  assert.equal(message.sentAt, addMs(message.createdAt, 10));
  assert.equal(message.changedAt, addMs(message.createdAt, 15));
});

test("a send that waits in vain answers the message as it stands", async () => {
  const { stored, clock } = setUp();
  let isOver = false;
  const sending = stored
    .send(projectId, { to: phone, text: "x", waitMs: 1000 })
    .finally(() => {
      isOver = true;
    });
  await clock.advanceSettled(999);
  assert.equal(isOver, false);
  await clock.advanceSettled(1);
  assert.equal((await sending).delivery.state, "waiting");
});

test("a send that is not due so soon is not waited for", async () => {
  const { stored, clock } = setUp();
  const message = await stored.send(projectId, {
    to: phone,
    text: "x",
    notBefore: addMs(clock.now(), 1001),
    waitMs: 1000,
  });
  assert.equal(message.delivery.state, "waiting");
});

test("the end of the service ends all waits", async () => {
  const { stored, waits, clock } = setUp();
  const sending = stored.send(projectId, {
    to: phone,
    text: "x",
    waitMs: 1000,
  });
  await clock.advanceSettled(0);
  waits[Symbol.dispose]();
  assert.equal((await sending).delivery.state, "waiting");
});

test("a template that may not be sent is not rendered", async () => {
  const { stored, listAll } = setUp({
    template: { isActive: false, isStrict: true },
  });
  const request = { to: phone, slug: "shipped" };
  assert.deepEqual(await stored.sendTemplate(projectId, request), {
    refusals: ["inactive"],
  });
  assert.deepEqual((await listAll()).messages, []);
  const objects = { ...request, relatedObjects: [{ type: "a b", id: 1 }] };
  await assert.rejects(stored.sendTemplate(projectId, objects), {
    code: "MESSAGE_OPTION_INVALID",
    message: /relatedObjects\[0\]/,
  });
});

test("a template is rendered for its recipient, and its slug stays", async () => {
  const { stored } = setUp();
  const sent = await stored.sendTemplate(projectId, {
    to: phone,
    slug: "shipped",
    context: { n: 7 },
    relatedObjects: [order, user],
  });
  assert.ok("message" in sent);
  assert.equal(sent.message.text, `{"n":7} to ${phone}`);
  assert.equal(sent.message.templateSlug, "shipped");
  assert.equal(await stored.wasSent(projectId, "shipped", [order]), true);
  assert.equal(
    await stored.wasSent(projectId, "shipped", [{ ...order, id: "8" }]),
    false,
  );
  await assert.rejects(
    stored.sendTemplate(projectId, { to: phone, slug: "none" }),
    { code: "TEMPLATE_NOT_FOUND" },
  );
});

test("a template that may not be sent twice is refused the second time", async () => {
  const { stored, listAll } = setUp({ template: { allowsDuplicates: false } });
  const request = { to: phone, slug: "shipped", relatedObjects: [order] };
  const answers = await Promise.all([
    stored.sendTemplate(projectId, request),
    stored.sendTemplate(projectId, request),
  ]);
  assert.deepEqual(
    answers.filter((it) => "refusals" in it),
    [{ refusals: ["duplicate"] }],
  );
  assert.equal((await listAll()).messages.length, 1);
});

test("a template that is not active is refused", async () => {
  const { stored, listAll } = setUp({ template: { isActive: false } });
  assert.deepEqual(
    await stored.sendTemplate(projectId, { to: phone, slug: "shipped" }),
    { refusals: ["inactive"] },
  );
  assert.deepEqual((await listAll()).messages, []);
});

test("a mail is stored with HTML, files and sender", async () => {
  const { stored, store } = setUp({ channel: "email" });
  const content = Uint8Array.of(1, 2, 3);
  const message = await stored.send(projectId, {
    to: "a@b.example",
    subject: "Hello",
    html: "<p>Hello</p>",
    sender: "shop@example.com",
    email: { senderName: "Shop" },
    attachments: [{ name: "a.bin", contentType: "application/x", content }],
  });
  assert.equal(message.html, "<p>Hello</p>");
  assert.equal(message.subject, "Hello");
  assert.equal(message.sender, "shop@example.com");
  // What was given, and nothing of the files.
  assert.deepEqual(message.email, {
    from: "shop@example.com",
    senderName: "Shop",
  });
  assert.equal(message.message.attachmentBytes, 3);
  assert.deepEqual(message.attachments, [
    { name: "a.bin", contentType: "application/x", size: 3 },
  ]);
  assert.deepEqual(message.pymessState, { name: "WAITING", number: 1 });
  assert.deepEqual(await stored.find(projectId, message.id), message);
  const [file] = await store.readAttachments(message.message.seq);
  assert.deepEqual(file?.content, content);
});

test("of a mail with HTML alone the text that goes out is kept", async () => {
  const asked: string[] = [];
  const { stored } = setUp({
    channel: "email",
    rules: {
      async textOfHtml(html) {
        asked.push(html);
        return "Hello";
      },
    },
  });
  const html = "<p>Hello</p>";
  const recipients = ["a@b.example", "c@d.example"];
  const messages = await stored.sendBulk(projectId, { to: recipients, html });
  assert.deepEqual(
    messages.map(({ text }) => text),
    ["Hello", "Hello"],
  );
  assert.deepEqual(asked, [html]);
  const [to = ""] = recipients;
  const { text } = await stored.send(projectId, { to, html, text: "Hi" });
  assert.equal(text, "Hi");
  assert.equal(asked.length, 1);
});

test("lists are gone on with behind a message, of whichever channel", async () => {
  const { stored } = setUp();
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) {
    const { id } = await stored.send(projectId, {
      to: phone,
      text: "x",
      relatedObjects: [order],
      tag: n % 2 ? "odd" : "even",
    });
    ids.unshift(id);
  }
  const listed: string[] = [];
  let before: string | undefined;
  do {
    const page = await stored.list(
      projectId,
      { relatedObjects: [{ type: "order", id: 7 as unknown as string }] },
      { limit: 2, before },
    );
    listed.push(...page.messages.map(({ id }) => id));
    before = page.next;
  } while (before !== undefined);
  assert.deepEqual(listed, ids);
  for (const limit of [0, 1.5, 1001]) {
    await assert.rejects(stored.list(projectId, {}, { limit }), {
      code: "PAGE_INVALID",
    });
  }
  await assert.rejects(
    stored.list(projectId, {}, { limit: 1, before: "no id" }),
    { code: "DELIVERY_NOT_FOUND" },
  );
});

test("ids of another project or channel find nothing", async () => {
  const { stored } = setUp();
  const { id } = await stored.send(projectId, { to: phone, text: "x" });
  const other = "2".repeat(32) as ProjectId;
  assert.equal(await stored.find(other, id), undefined);
  assert.equal(await stored.find(projectId, "x"), undefined);
  await assert.rejects(stored.cancel(other, id, actor), {
    code: "DELIVERY_NOT_FOUND",
  });
});

test("what waits is cancelled, and what was cancelled is sent again", async () => {
  const { stored } = setUp();
  const { id } = await stored.send(projectId, { to: phone, text: "x" });
  const cancelled = await stored.cancel(projectId, id, actor, "not needed");
  assert.deepEqual(cancelled.pymessState, { name: "ERROR", number: 8 });
  assert.equal(cancelled.error, "Cancelled by alice: not needed");
  assert.deepEqual(
    [cancelled.failed, cancelled.isFinal, cancelled.isFailure],
    [true, true, true],
  );
  await assert.rejects(stored.cancel(projectId, id, actor), {
    code: "DELIVERY_STATE_CONFLICT",
  });
  const again = await stored.retry(projectId, id, actor);
  assert.equal(again.pymessState.name, "ERROR_RETRY");
});

test("what a message is about is added to and replaced", async () => {
  const { stored, clock } = setUp();
  const { id } = await stored.send(projectId, {
    to: phone,
    text: "x",
    relatedObjects: [order],
  });
  clock.advance(50);
  const added = await stored.addRelatedObjects(projectId, id, [order, user]);
  assert.deepEqual(
    added.map((it) => it.id),
    ["7", "alice"],
  );
  assert.equal((await stored.find(projectId, id))?.changedAt, clock.now());
  const bob = { ...user, id: "bob" };
  const set = await stored.setRelatedObjects(projectId, id, [bob], "user");
  assert.deepEqual(
    set.map((it) => it.id),
    ["7", "bob"],
  );
  await assert.rejects(
    stored.setRelatedObjects(projectId, id, [order], "user"),
    { code: "MESSAGE_OPTION_INVALID" },
  );
  const many = Array.from({ length: 32 }, (_, n) => ({ ...user, id: `${n}` }));
  await assert.rejects(stored.addRelatedObjects(projectId, id, many), {
    code: "MESSAGE_OPTION_INVALID",
    message: /34/,
  });
});

test("of additions at once none brings a message past 32 objects", async () => {
  const { stored } = setUp();
  const { id } = await stored.send(projectId, { to: phone, text: "x" });
  const ends = await Promise.allSettled(
    Array.from({ length: 6 }, (_, n) =>
      stored.addRelatedObjects(
        projectId,
        id,
        Array.from({ length: 32 }, (_, m) => ({ ...user, id: `${n}-${m}` })),
      ),
    ),
  );
  assert.equal(ends.filter((it) => it.status === "rejected").length, 5);
  const found = await stored.find(projectId, id);
  assert.equal(found?.relatedObjects.length, 32);
});

test("summaries have the beginning of the text, and nothing that is long", async () => {
  const { stored } = setUp({ channel: "email" });
  const text = `${"a".repeat(159)}😀${"b".repeat(1000)}`;
  const mail = await stored.send(projectId, {
    to: "a@b.example",
    text,
    html: "<p>x</p>",
    subject: "News",
    relatedObjects: [order],
  });
  const { messages } = await stored.listSummaries(projectId, {}, { limit: 1 });
  const { text: _t, html: _h, message: _m, ...rest } = mail;
  const excerpt = `${"a".repeat(159)}😀`;
  assert.deepEqual(messages, [{ ...rest, excerpt }]);
});

test("lists by pymess's states, which are several of ours or a part of one", async () => {
  const set = setUp();
  const { stored } = set;
  const { id } = await stored.send(projectId, { to: phone, text: "x" });
  await attempt(set, { state: "sent", receiptExpected: true });
  const waiting = await stored.send(projectId, { to: phone, text: "y" });
  const list = async (filter: StoredMessageFilter) =>
    (await stored.list(projectId, filter, { limit: 9 })).messages.map(
      (it) => it.id,
    );
  assert.deepEqual(await list({ pymessState: "SENDING" }), [id]);
  assert.deepEqual(await list({ pymessState: "SENT" }), []);
  assert.deepEqual(await list({ pymessState: "WAITING" }), [waiting.id]);
  assert.deepEqual(await list({ pymessState: "WAITING", state: "sent" }), []);
  assert.deepEqual(await list({ pymessState: "SENDING", state: "sent" }), [id]);
});
