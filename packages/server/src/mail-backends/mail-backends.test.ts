/** Backends and a router of mails, in a composed server. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import {
  createDebugEmailChannel,
  createLinks,
  createMailBackendChannel,
  createRoutedEmailChannel,
  type MailBackend,
  type MailRouter,
  type OutgoingMail,
} from "@carillon/channels";
import { type ProjectId, silentLogger } from "@carillon/core";
import { backendErrors } from "@carillon/gateway";
import { ManualClock, MemoryStore, RecordingLogger } from "@carillon/testing";
import { startTestServer, testKey } from "../../test-support/test-server.ts";
import { createMailIntake } from "../mail-reports/mail-intake.ts";
import { createSubscriptionTokens } from "../subscription-tokens.ts";

async function setUp(
  backend: Partial<MailBackend>,
  {
    router,
    expectsReports = false,
  }: { router?: MailRouter; expectsReports?: boolean } = {},
) {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const logger = new RecordingLogger();
  const mine = createMailBackendChannel({
    name: "mine",
    backend: { publishMessage: () => {}, ...backend },
    from: "noreply@localhost",
    links: createLinks({
      publicUrl: () => "https://notify.example",
      tokens: createSubscriptionTokens(testKey),
      region: "test-1",
    }),
    logger: silentLogger,
    readAttachments: (messageSeq) => store.readAttachments(messageSeq),
    expectsReports,
    secrets: ["hush-hush"],
  });
  const mails = createRoutedEmailChannel({
    backends: new Map([
      ["default", createDebugEmailChannel()],
      ["mine", mine],
    ]),
    defaultName: "default",
    router,
    logger,
    monotonic: () => clock.monotonic(),
  });
  const server = await startTestServer({
    store,
    clock,
    mails,
    publicUrl: "https://notify.example",
    env: {
      CARILLON_EMAIL_BACKENDS: '[{"type":"debug","name":"mine"}]',
    },
    emailEvents: {
      intake: createMailIntake({ store, clock, logger }, () => ({
        count: 0,
        windowMs: 1,
      })),
      clock,
      webhookSecret: () => undefined,
      mandrillKey: () => "key",
    },
  });
  const projectId = server.credentials.project.id as ProjectId;
  const { email } = server.stored;
  const find = async (id: string) => {
    const found = await email.find(projectId, id);
    assert.ok(found);
    return found;
  };
  return {
    server,
    logger,
    find,
    async send(request: object = {}) {
      const { id } = await email.send(projectId, {
        to: "ann@example.com",
        subject: "Order",
        html: "<p>It is <b>here</b>.</p>",
        ...request,
      });
      await server.clock.advanceSettled(10);
      return await find(id);
    },
    async mandrill(events: unknown) {
      const url = `/receivers/${server.credentials.receiverSecret}/email/mandrill`;
      const text = JSON.stringify(events);
      const answer = await server.app.inject({
        method: "POST",
        url,
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          "x-mandrill-signature": createHmac("sha1", "key")
            .update(`https://notify.example${url}mandrill_events${text}`)
            .digest("base64"),
        },
        payload: new URLSearchParams({ mandrill_events: text }).toString(),
      });
      return answer.json();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const toMine = { backend: "mine" };

test("a backend gets the whole mail, and what it says is kept with it", async () => {
  const seen: OutgoingMail[] = [];
  await using set = await setUp({
    publishMessage(mail) {
      seen.push(mail);
      return { externalId: "md-1", senderData: { pool: "main", n: 1 } };
    },
  });
  const content = new Uint8Array([1, 2, 3]);
  const file = { name: "a.bin", contentType: "a/b", content };
  const message = await set.send({
    ...toMine,
    tag: "orders",
    extraData: { order: 7 },
    attachments: [file],
    email: { senderName: "Shop", replyTo: "help@shop.example" },
  });
  const [mail] = seen;
  assert.ok(mail);
  const { headers, messageId, id, ...rest } = mail;
  assert.deepEqual(rest, {
    from: { address: "noreply@localhost", name: "Shop" },
    to: "ann@example.com",
    replyTo: "help@shop.example",
    subject: "Order",
    text: "It is here.\n",
    html: "<p>It is <b>here</b>.</p>",
    attachments: [file],
    tag: "orders",
    extraData: { order: 7 },
  });
  assert.equal(messageId, `<${id}@localhost>`);
  assert.equal(headers["X-SMN-MESSAGE-ID"], message.message.id);
  const { backend, pymessState, isFinal, extraSenderData } = message;
  assert.deepEqual([backend, isFinal], ["mine", true]);
  assert.deepEqual(pymessState, { name: "SENT", number: 3 });
  assert.deepEqual(extraSenderData, { pool: "main", n: 1 });
});

test("Mandrill's events find the mail by the id that its backend gave", async () => {
  await using set = await setUp(
    { publishMessage: () => ({ externalId: "md-1" }) },
    { expectsReports: true },
  );
  const sent = await set.send(toMine);
  assert.equal(sent.pymessState.name, "SENDING");
  const { kept, unknown } = await set.mandrill([
    { event: "hard_bounce", _id: "md-1", msg: { diag: "550 5.1.1 no" } },
    { event: "hard_bounce", _id: "md-2", msg: {} },
  ]);
  assert.deepEqual([kept, unknown], [1, 1]);
  const { delivery } = await set.find(sent.id);
  assert.equal(delivery.state, "rejected");
});

for (const [title, publishMessage, state, error] of [
  ["sent", () => {}, "sent", undefined],
  ["sending", () => ({ state: "sending" }), "sent", undefined],
  ["delivered", () => ({ state: "delivered" }), "delivered", undefined],
  ["debug", () => ({ state: "debug" }), "debug", undefined],
  [
    "rejected",
    () => ({ state: "rejected", error: "spam" }),
    "rejected",
    "spam",
  ],
  ["unknown", () => ({ state: "unknown" }), "retrying", /does not know/],
  ["nonsense", () => ({ state: "gone" }), "retrying", /cannot be understood/],
  [
    "a bad id",
    () => ({ externalId: {} }),
    "retrying",
    /externalId is expected/,
  ],
  [
    "a server error",
    () => {
      throw new backendErrors.ServerError("busy with hush-hush");
    },
    "retrying",
    "busy with ***",
  ],
  [
    "a refusal",
    () => {
      throw new backendErrors.RequestError("no");
    },
    "rejected",
    "no",
  ],
  [
    "a defect",
    () => {
      throw new TypeError("x is undefined");
    },
    "retrying",
    "x is undefined",
  ],
] as const) {
  test(`what a backend says is ${title} is ${state}`, async () => {
    await using set = await setUp({
      publishMessage: publishMessage as MailBackend["publishMessage"],
    });
    const { delivery, error: words, backend } = await set.send(toMine);
    assert.deepEqual([delivery.state, backend], [state, "mine"]);
    if (error instanceof RegExp) assert.match(words ?? "", error);
    else assert.equal(words, error);
  });
}

test("a router chooses by recipient; a backend that is named is not asked about", async () => {
  await using set = await setUp(
    {},
    {
      router: (to, { tag }) =>
        to.startsWith("ann@") && tag !== "plain" ? "mine" : undefined,
    },
  );
  assert.equal((await set.send()).backend, "mine");
  assert.equal((await set.send({ tag: "plain" })).backend, "debug");
  assert.equal((await set.send({ to: "bob@example.com" })).backend, "debug");
  assert.equal((await set.send({ backend: "default" })).backend, "debug");
});

test("a router that fails is told of once, and the mail waits", async () => {
  let isDown = true;
  await using set = await setUp(
    {},
    {
      router: async () => {
        if (isDown) throw new Error("no database");
        return "mine";
      },
    },
  );
  const first = await set.send();
  await set.send();
  assert.equal(first.delivery.state, "retrying");
  assert.equal(set.logger.count("email_router_failed"), 1);
  isDown = false;
  await set.server.clock.advanceSettled(60_000);
  assert.equal((await set.find(first.id)).backend, "mine");
});

test("a name that there is not is refused, or fails the mail", async () => {
  await using set = await setUp({}, { router: () => "nowhere" });
  await assert.rejects(set.send({ backend: "nowhere" }), {
    code: "MESSAGE_OPTION_INVALID",
    message:
      "Invalid email.backend: the name of a backend of email.backends is expected.",
  });
  const { delivery, error } = await set.send();
  assert.equal(delivery.state, "rejected");
  assert.equal(error, 'There is no backend of mails called "nowhere".');
});
