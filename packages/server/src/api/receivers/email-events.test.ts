import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import {
  addMs,
  type MessageId,
  mailPartId,
  type ProjectId,
  toDeliveryId,
  toEpochMs,
} from "@carillon/core";
import { Gateway } from "@carillon/gateway";
import { ManualClock, MemoryStore, RecordingLogger } from "@carillon/testing";
import { Webhook } from "standardwebhooks";
import { startTestServer } from "../../../test-support/test-server.ts";
import { createMailIntake } from "../../mail-reports/mail-intake.ts";

const secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const start = toEpochMs(Date.UTC(2026, 0, 1));
const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
const bounce = { event: "bounced", hard: true, code: "5.1.1" };

test("takes signed events, once each, and says what came of them", async () => {
  await using set = await setUp();
  const mails = [await set.mail(), await set.mail(), await set.mail()];
  const [first, second, third] = mails;
  assert.ok(first && second && third);
  const events = [
    { ...bounce, messageId: `<${first.partId}@example.com>` },
    {
      event: "delivered",
      deliveryId: second.deliveryId,
      at: "2026-01-01T00:00:00Z",
    },
    {
      event: "complained",
      externalId: third.partId,
      recipient: "ann@example.org",
    },
    { ...bounce, deliveryId: toDeliveryId("f".repeat(32) as MessageId, 0) },
    { ...bounce, messageId: "<somebody@elsewhere.example>" },
  ];
  const answer = await set.post({ events });
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(answer.json(), {
    received: 5,
    kept: 3,
    repeated: 0,
    unknown: 2,
  });
  assert.deepEqual(await Promise.all(mails.map((mail) => mail.state())), [
    "rejected",
    "delivered",
    "sent",
  ]);
  const again = await set.post({ events });
  assert.deepEqual(again.json(), {
    received: 5,
    kept: 0,
    repeated: 3,
    unknown: 2,
  });
  const [event] = await first.events();
  assert.deepEqual(JSON.parse(event?.raw ?? ""), events[0]);
  assert.equal(set.logger.count("mail_reports_unknown"), 2);
});

test("an event with an id counts once, whatever else it says", async () => {
  await using set = await setUp();
  const { deliveryId, events } = await set.mail();
  for (const diagnostic of ["busy", "still busy"]) {
    const event = { event: "deferred", deliveryId, id: "e1", diagnostic };
    await set.post({ events: [event] });
  }
  assert.deepEqual(
    (await events()).map((it) => it.diagnostic),
    ["busy"],
  );
});

test("takes null for a member that is not there", async () => {
  await using set = await setUp();
  const { deliveryId, events } = await set.mail();
  const absent = Object.fromEntries(
    ["hard", "at", "code", "diagnostic", "recipient", "messageId"]
      .concat("externalId", "id")
      .map((name) => [name, null]),
  );
  const event = { event: "bounced", deliveryId, ...absent };
  const answer = await set.post({ events: [event] });
  assert.equal(answer.statusCode, 200, answer.body);
  assert.equal((await events())[0]?.hard, undefined);
});

test("refuses a body as a whole, and says where it is wrong", async () => {
  await using set = await setUp();
  const mail = await set.mail();
  const good = { ...bounce, deliveryId: `${"0".repeat(31)}1-0` };
  for (const [title, body, words] of [
    ["is no JSON", "{", /no JSON/],
    ["is no object", "[]", /list `events`/],
    ["has no list", { events: {} }, /list `events`/],
    ["has an empty list", { events: [] }, /1 to 1000 are expected, got 0/],
    ["has too many", { events: Array(1001).fill(good) }, /got 1001/],
    [
      "has what is no event",
      { events: [good, null] },
      /^events\[1\]: an object/,
    ],
    [
      "has an unknown word",
      { events: [{ ...good, event: "opened" }] },
      /^events\[0\]\.event: one of delivered/,
    ],
    [
      "has a wrong flag",
      { events: [{ ...good, hard: "yes" }] },
      /hard: true or false/,
    ],
    ["has a wrong time", { events: [{ ...good, at: "soon" }] }, /\.at: a time/],
    [
      "has a wrong delivery",
      { events: [{ event: "bounced", deliveryId: "7" }] },
      /id of a delivery/,
    ],
    ["names no mail", { events: [bounce] }, /got 0/],
    ["names two mails", { events: [{ ...good, externalId: "x" }] }, /got 2/],
    [
      "has a long text",
      { events: [{ ...good, code: "5".repeat(101) }] },
      /at most 100/,
    ],
  ] as const) {
    const answer = await set.post(body);
    assert.equal(answer.statusCode, 400, title);
    assert.match(answer.json().error, words);
  }
  assert.deepEqual(await mail.events(), []);
});

test("refuses who does not sign, knows no secret, or sends too much", async () => {
  await using set = await setUp();
  const { deliveryId } = await set.mail();
  const events = [{ ...bounce, deliveryId }];
  const unsigned = await set.inject("events", JSON.stringify({ events }), {});
  assert.equal(unsigned.statusCode, 401);
  assert.match(unsigned.json().error, /webhook-signature are needed/);
  const large = await set.post("x".repeat(1024 * 1024 + 1));
  assert.equal(large.statusCode, 413);
  const elsewhere = await set.server.app.inject({
    method: "POST",
    url: `/receivers/${"0".repeat(32)}/email/events`,
    payload: { events },
  });
  assert.equal(elsewhere.statusCode, 404);
  set.settings.webhookSecret = undefined;
  const off = await set.post({ events });
  assert.equal(off.statusCode, 403);
  assert.match(off.json().error, /email\.webhookSecret/);
});

test("says that events which could not be kept are to be sent again", async () => {
  await using set = await setUp();
  const { deliveryId, state } = await set.mail();
  const { recordMailEvent } = set.store;
  set.store.recordMailEvent = async () => {
    throw new Error("The disk is gone.");
  };
  const body = { events: [{ ...bounce, deliveryId }] };
  assert.ok((await set.post(body)).statusCode >= 500);
  assert.equal(set.logger.count("mail_report_failed"), 1);
  set.store.recordMailEvent = recordMailEvent;
  assert.equal((await set.post(body)).json().kept, 1);
  assert.equal(await state(), "rejected");
});

test("takes a thousand events in one request", async () => {
  await using set = await setUp();
  const { deliveryId } = await set.mail();
  const events = Array.from({ length: 1000 }, (_, n) => ({
    event: "deferred",
    deliveryId,
    id: `e${n}`,
  }));
  const answer = await set.post({ events });
  assert.deepEqual(answer.json(), {
    received: 1000,
    kept: 20,
    repeated: 980,
    unknown: 0,
  });
});

describe("Mandrill", () => {
  const textOf = (events: unknown) =>
    new URLSearchParams({ mandrill_events: JSON.stringify(events) }).toString();
  const msgOf = (name: string) => ({ metadata: { carillon_mail: name } });

  test("reports by the names that mails brought; one bad event does not stop others", async () => {
    await using set = await setUp();
    const mail = await set.mail();
    const unknown = `${"f".repeat(32)}.0`;
    const answer = await set.mandrill(
      textOf([
        null,
        { event: "open", msg: msgOf(mail.partId) },
        { event: "hard_bounce" },
        { event: "hard_bounce", _id: "of somebody else", msg: {} },
        { event: "hard_bounce", _id: "e1", msg: msgOf(unknown) },
        {
          event: "hard_bounce",
          _id: "e2",
          ts: start / 1000,
          msg: {
            ...msgOf(mail.partId),
            email: "ann@example.org",
            diag: "smtp;550 5.1.1 no such user",
          },
        },
      ]),
    );
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(answer.json(), {
      received: 6,
      ignored: 3,
      kept: 1,
      repeated: 0,
      unknown: 2,
    });
    assert.equal(await mail.state(), "rejected");
    const [event] = await mail.events();
    assert.equal(event?.code, "5.1.1");
  });

  test("reports by its own ids on mails that came with them", async () => {
    await using set = await setUp();
    const mail = await set.mail("e4a1");
    // Metadata of others, and none at all.
    for (const msg of [{ metadata: [] }, msgOf("x"), {}]) {
      const answer = await set.mandrill(
        textOf([{ event: "delivered", _id: "e4a1", msg }]),
      );
      assert.equal(answer.json().unknown, 0);
    }
    assert.equal(await mail.state(), "delivered");
  });

  test("has a word of ours for each of its events", async () => {
    await using set = await setUp();
    for (const [event, kind, hard] of [
      ["delivered", "delivered", undefined],
      ["deferral", "deferred", undefined],
      ["hard_bounce", "bounced", true],
      ["soft_bounce", "bounced", false],
      ["reject", "rejected", undefined],
      ["spam", "complained", undefined],
    ] as const) {
      const mail = await set.mail();
      await set.mandrill(textOf([{ event, msg: msgOf(mail.partId) }]));
      const [kept] = await mail.events();
      assert.equal(kept?.event, kind);
      assert.equal(kept?.hard, hard);
    }
  });

  test("asks whether anybody is there, and needs its field", async () => {
    await using set = await setUp();
    const head = await set.inject("mandrill", undefined, {}, "HEAD");
    assert.equal(head.statusCode, 200);
    for (const body of [
      "",
      "other=1",
      "mandrill_events={",
      "mandrill_events={}",
    ]) {
      const answer = await set.mandrill(body);
      assert.equal(answer.statusCode, 400, body);
      assert.match(answer.json().error, /mandrill_events/);
    }
  });

  test("is let in by its signature, and not without a key", async () => {
    await using set = await setUp();
    const mail = await set.mail();
    const text = textOf([{ event: "delivered", msg: msgOf(mail.partId) }]);
    for (const signature of ["", "AAAA"]) {
      const answer = await set.mandrill(text, signature);
      assert.equal(answer.statusCode, 401);
    }
    set.settings.mandrillKey = undefined;
    const refused = await set.mandrill(text);
    assert.equal(refused.statusCode, 403);
    assert.match(refused.json().error, /email\.mandrillKey/);
    assert.equal(await mail.state(), "sent");
    set.settings.mandrillKey = mandrillKey;
    assert.equal((await set.mandrill(text)).statusCode, 200);
    assert.equal(await mail.state(), "delivered");
  });
});

const mandrillKey = "key";

/** HMAC-SHA1 over the URL and the fields in the order of their names. */
function mandrillSignature(url: string, text: string): string {
  const fields = [...new URLSearchParams(text)].sort();
  return createHmac("sha1", mandrillKey)
    .update(url + fields.map(([name, value]) => name + value).join(""))
    .digest("base64");
}

async function setUp() {
  const clock = new ManualClock(start);
  const store = new MemoryStore({ clock });
  const logger = new RecordingLogger();
  const settings: Record<"webhookSecret" | "mandrillKey", string | undefined> =
    {
      webhookSecret: secret,
      mandrillKey,
    };
  const server = await startTestServer({
    store,
    clock,
    gateway: new Gateway(),
    publicUrl: "https://notify.example",
    onLine: (event, fields) => logger.info(event, fields),
    emailEvents: {
      intake: createMailIntake({ store, clock, logger }, () => ({
        count: 0,
        windowMs: 1,
      })),
      clock,
      webhookSecret: () => settings.webhookSecret,
      mandrillKey: () => settings.mandrillKey,
    },
  });
  const base = `/receivers/${server.credentials.receiverSecret}/email`;
  let made = 0;

  const inject = (
    path: string,
    payload: string | undefined,
    headers: Record<string, string>,
    method: "POST" | "HEAD" = "POST",
  ) =>
    server.app.inject({
      method,
      url: `${base}/${path}`,
      headers,
      ...(payload !== undefined && { payload }),
    });

  return {
    server,
    store,
    logger,
    settings,
    base,
    inject,
    /** Signed. */
    post(body: unknown) {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const at = new Date(clock.now());
      return inject("events", text, {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": String(Math.floor(clock.now() / 1000)),
        "webhook-signature": new Webhook(secret).sign("msg_1", at, text),
      });
    },
    /** Signed, unless a signature is given. */
    mandrill(text: string, signature?: string) {
      const url = `https://notify.example${base}/mandrill`;
      return inject("mandrill", text, {
        "content-type": "application/x-www-form-urlencoded",
        "x-mandrill-signature": signature ?? mandrillSignature(url, text),
      });
    },
    /** A mail that its server took, with the id that it is known by. */
    async mail(externalId?: string) {
      const id = (++made).toString(16).padStart(32, "0") as MessageId;
      const { seq } = await store.acceptDirectMessage(
        {
          id,
          projectId,
          audience: "direct",
          content: { kind: "text", text: "News" },
          createdAt: start,
          expiresAt: addMs(start, 3_600_000),
        },
        [{ protocol: "email", endpoint: "ann@example.org", billable: false }],
      );
      const { deliveries } = await store.claim(
        { owner: "a", leaseMs: 60_000 },
        { kinds: ["delivery"], limit: 1 },
      );
      await store.finish({
        deliveries: deliveries.map(({ messageSeq, fence }) => ({
          messageSeq,
          target: 0,
          fence,
          state: "sent",
          attempts: 1,
          provider: "email",
          parts: [{ externalId: externalId ?? mailPartId(id, 0) }],
          receiptExpected: true,
        })),
      });
      return {
        partId: mailPartId(id, 0),
        deliveryId: toDeliveryId(id, 0),
        state: async () => (await store.findDelivery(seq, 0))?.state,
        events: () => store.listMailEvents(seq, 0),
      };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
