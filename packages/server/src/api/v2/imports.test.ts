import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

const created = "2019-03-04T05:06:07.000Z";

function record(id: number, fields: object = {}) {
  return {
    id: String(id),
    createdAt: created,
    to: "+420777123456",
    text: "Hello",
    state: "sent",
    attempts: 1,
    sentAt: "2019-03-04T05:06:08.000Z",
    ...fields,
  };
}

const path = "/api/v2/imports/pymess:1:sms/batches";

test("imports records once, and says how far it is", async () => {
  await using server = await startTestServer();
  const { call } = server;
  const none = await call("GET", "/api/v2/imports/pymess:1:sms");
  assert.equal(none.status, 404);
  assert.equal(none.body.code, "IMPORT_NOT_FOUND");
  const batch = {
    channel: "sms",
    position: "2",
    records: [record(1), record(2, { tag: "a tag\n" })],
    skipped: 3,
  };
  const dry = await call("POST", path, { ...batch, dryRun: true });
  assert.equal(dry.body.imported, 1);
  assert.equal(dry.body.progress, undefined);
  const { status, body } = await call("POST", path, batch);
  assert.equal(status, 200);
  assert.equal(body.imported, 1);
  assert.deepEqual(body.skipped, [
    {
      id: "2",
      reason: "Invalid tag: it has a control character, or half a character.",
    },
  ]);
  const again = await call("POST", path, batch);
  assert.equal(again.status, 409);
  assert.equal(again.body.code, "IMPORT_POSITION_CONFLICT");
  assert.match(again.body.detail, /stands at 2/);
  const { body: progress } = await call("GET", "/api/v2/imports/pymess:1:sms");
  assert.equal(progress.position, "2");
  assert.equal(progress.imported, 1);
  assert.equal(progress.skipped, 4);
});

test("keeps of a record what there is of it", async () => {
  await using server = await startTestServer();
  const { call, stored } = server;
  const dates = { createdAt: created, changedAt: "2020-01-01T00:00:00.000Z" };
  const objects = [{ type: "shop.order", id: "7", ...dates }];
  await call("POST", path, {
    channel: "email",
    position: "1",
    records: [
      record(1, {
        to: "somebody, as it was kept then",
        text: "",
        html: "<p>Hi</p>",
        subject: "Hi",
        sender: "shop@example.com",
        senderName: "The shop",
        attachments: [
          { name: "a.txt", contentType: "text/plain", content: "aGVsbG8=" },
        ],
        templateSlug: "welcome",
        tag: "news",
        priority: 2,
        extraData: { a: 1 },
        extraSenderData: { b: 2 },
        relatedObjects: objects,
        state: "failed",
        attempts: 4,
        error: "timeouted",
        backend: "pymess.backend.emails.smtp.SMTPEmailBackend",
        externalId: "x1",
      }),
    ],
  });
  const { email } = stored;
  const { messages } = await email.list(
    server.credentials.project.id,
    { templateSlug: "welcome" },
    { limit: 9 },
  );
  const [message] = messages;
  assert.ok(message);
  const { id: _, message: __, delivery, changedAt: _c, ...told } = message;
  const at = (text: string) => Date.parse(text);
  assert.deepEqual(told, {
    channel: "email",
    createdAt: at(created),
    sentAt: at("2019-03-04T05:06:08.000Z"),
    to: "somebody, as it was kept then",
    sender: "shop@example.com",
    text: "",
    subject: "Hi",
    html: "<p>Hi</p>",
    email: {
      from: "shop@example.com",
      senderName: "The shop",
    },
    attachments: [{ name: "a.txt", contentType: "text/plain", size: 5 }],
    templateSlug: "welcome",
    pymessState: { name: "ERROR", number: 4 },
    backend: "pymess.backend.emails.smtp.SMTPEmailBackend",
    error: "timeouted",
    extraData: { a: 1 },
    extraSenderData: { b: 2 },
    tag: "news",
    priority: 2,
    relatedObjects: [
      {
        type: "shop.order",
        id: "7",
        createdAt: at(created),
        changedAt: at(dates.changedAt),
      },
    ],
    failed: true,
    isFinal: true,
    isFailure: true,
  });
  assert.equal(delivery.attemptCount, 4);
  assert.equal(delivery.externalId, "x1");
  assert.ok(
    await email.wasSent(server.credentials.project.id, "welcome", [
      { type: "shop.order", id: "7" },
    ]),
  );
});

test("what is wrong with a record is said of it, and others are kept", async (t) => {
  await using server = await startTestServer();
  const cases: [string, object, RegExp][] = [
    [
      "a long text",
      { text: "x".repeat(262_145) },
      /text: it is longer than 256/,
    ],
    ["the character U+0000", { text: "a\0" }, /U\+0000/],
    ["a long recipient", { to: "1".repeat(321) }, /321 characters, 320/],
    ["a long tag", { tag: "t".repeat(65) }, /tag: it has 65/],
    ["no priority", { priority: 4 }, /priority: 1, 2 or 3/],
    ["many attempts", { attempts: -1 }, /attempts: a whole number/],
    ["much extra data", { extraData: { a: "x".repeat(9000) } }, /extraData/],
    [
      "much extra sender data",
      { extraSenderData: { a: "x".repeat(9000) } },
      /extraSenderData/,
    ],
    ["a time to come", { createdAt: "2126-01-01T00:00:00.000Z" }, /ahead/],
    [
      "an odd type",
      {
        relatedObjects: [
          { type: "a b", id: "1", createdAt: created, changedAt: created },
        ],
      },
      /relatedObjects\[0\]: type/,
    ],
    ["a number to send to", { state: "waiting", to: "777" }, /phone number/],
    [
      "extra data with the character U+0000",
      { extraData: { a: "\0" } },
      /extraData: it may not contain the character U\+0000/,
    ],
  ];
  for (const [n, [title, fields, reason]] of cases.entries()) {
    await t.test(title, async () => {
      const { body } = await server.call("POST", path, {
        channel: "sms",
        ...(n > 0 && { after: String(n - 1) }),
        position: String(n),
        records: [record(n, fields), record(100 + n)],
      });
      assert.equal(body.imported, 1);
      assert.equal(body.skipped[0].id, String(n));
      assert.match(body.skipped[0].reason, reason);
    });
  }
});

const objects33 = Array.from({ length: 33 }, (_, n) => ({
  type: "shop.order",
  id: String(n),
  createdAt: created,
  changedAt: created,
}));

test("what is still to be sent is checked as a send is", async (t) => {
  await using server = await startTestServer({
    env: { CARILLON_SMS_ACCENTS: "strip-ascii" },
  });
  const mail = { to: "ann@example.com", subject: "Hi" };
  const cases: [string, "sms" | "email", object, RegExp][] = [
    ["nothing to send", "sms", { text: "" }, /Invalid text/],
    ["blanks", "sms", { text: "   " }, /nothing is left of its text/],
    ["a long sender", "sms", { sender: "x".repeat(30) }, /Invalid sms.sender/],
    ["a long tag", "sms", { tag: "t".repeat(60) }, /Invalid tag: .*50/],
    ["a tag with a blank", "sms", { tag: "a tag" }, /Invalid tag/],
    [
      "33 objects",
      "sms",
      { relatedObjects: objects33 },
      /relatedObjects: 33 were given, 32 is the most/,
    ],
    [
      "a sender that is not allowed",
      "email",
      { ...mail, sender: "ceo@bank.example" },
      /may not be sent from ceo@bank.example/,
    ],
    [
      "a long sender's name",
      "email",
      { ...mail, senderName: "n".repeat(129) },
      /Invalid email.senderName/,
    ],
  ];
  const position = { sms: -1, email: -1 };
  for (const [title, channel, fields, reason] of cases) {
    await t.test(title, async () => {
      const after = position[channel]++;
      const good = channel === "email" ? mail : {};
      const { body } = await server.call(
        "POST",
        `/api/v2/imports/pymess:1:${channel}/batches`,
        {
          channel,
          ...(after >= 0 && { after: String(after) }),
          position: String(position[channel]),
          records: [
            record(1, { ...fields, state: "waiting" }),
            record(2, { ...fields, state: "retrying" }),
            // The same of history is kept, and so is what a send takes.
            record(3, { ...fields, state: "sent" }),
            record(4, { ...good, state: "waiting" }),
          ],
        },
      );
      assert.equal(body.imported, 2, JSON.stringify(body));
      assert.deepEqual(
        body.skipped.map(({ id }: { id: string }) => id),
        ["1", "2"],
      );
      for (const skipped of body.skipped) assert.match(skipped.reason, reason);
    });
  }
});

test("what is still to be sent is made as a send is, and goes at once", async () => {
  await using server = await startTestServer({
    env: {
      CARILLON_SMS_ACCENTS: "strip-ascii",
      CARILLON_SMS_BATCH_ENABLED: "true",
    },
  });
  const { body } = await server.call("POST", path, {
    channel: "sms",
    position: "1",
    records: [
      record(1, {
        state: "retrying",
        to: "00420777123456",
        text: "Žluť",
        sender: "Shop",
        tag: "",
        templateSlug: "welcome",
        relatedObjects: objects33.slice(1),
      }),
    ],
  });
  assert.deepEqual(body.skipped, []);
  await server.clock.advanceSettled(1000);
  const { messages } = await server.stored.sms.list(
    server.credentials.project.id,
    { templateSlug: "welcome" },
    { limit: 9 },
  );
  const [message] = messages;
  assert.equal(message?.to, "+420777123456");
  assert.equal(message?.text, "Zlut");
  assert.equal(message?.sender, "Shop");
  assert.equal(message?.tag, undefined);
  assert.equal(message?.createdAt, Date.parse(created));
  assert.equal(message?.relatedObjects.length, 32);
  assert.equal(message?.relatedObjects[0]?.createdAt, Date.parse(created));
  assert.equal(server.sent.length, 1);
});

test("sends what is imported as waiting, and nothing else", async () => {
  await using server = await startTestServer();
  const states = [
    "unknown",
    "sent",
    "delivered",
    "failed",
    "rejected",
    "debug",
    "cancelled",
    "waiting",
    "retrying",
  ];
  const { body } = await server.call("POST", path, {
    channel: "sms",
    position: "9",
    records: states.map((state, n) =>
      record(n, { state, text: state, reason: "imported: it was WAITING" }),
    ),
  });
  assert.equal(body.imported, 9);
  await server.clock.advanceSettled(1000);
  const texts = server.sent.map(({ message: { content } }) =>
    content.kind === "text" ? content.text : content.kind,
  );
  assert.deepEqual(texts.sort(), ["retrying", "waiting"]);
  const { sms } = server.stored;
  const { messages } = await sms.list(
    server.credentials.project.id,
    { state: "cancelled" },
    { limit: 9 },
  );
  assert.equal(
    messages[0]?.error,
    "Cancelled by admin: imported: it was WAITING",
  );
  const actor = { userId: "u", userName: "ann" };
  const { id: cancelled = "" } = messages[0] ?? {};
  await sms.retry(server.credentials.project.id, cancelled, actor);
  await server.clock.advanceSettled(1000);
  assert.equal(server.sent.length, 3);
});

test("members of a project import nothing", async () => {
  await using server = await startTestServer();
  const { body: user } = await server.call("POST", "/api/v2/users", {
    name: "ann",
    domainId: server.domainId,
    projectIds: [server.credentials.project.id],
    password: "a long password",
  });
  const { body: key } = await server.call("POST", "/api/v2/access-keys", {
    userId: user.id,
  });
  const pair = Buffer.from(`${key.accessKey}:${key.secretKey}`);
  const refused = await server.app.inject({
    method: "POST",
    url: path,
    headers: { authorization: `Basic ${pair.toString("base64")}` },
    payload: { channel: "sms", position: "1", records: [] },
  });
  assert.equal(refused.statusCode, 403);
});
