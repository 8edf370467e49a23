/** Stored mails from their acceptance to a mail server, over SQLite. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createEmailChannel, createLinks } from "@carillon/channels";
import {
  type Attachment,
  type ProjectId,
  type StoredMessageRequest,
  silentLogger,
} from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { ManualClock } from "@carillon/testing";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";
import {
  startTestServer,
  testKey,
  testRegion,
} from "../test-support/test-server.ts";
import { createSubscriptionTokens } from "./subscription-tokens.ts";

const logo: Attachment = {
  name: "logo.png",
  contentType: "image/png",
  contentId: "logo",
  content: new Uint8Array(2000).fill(7),
};
const terms: Attachment = {
  name: "Bedingungen für März.pdf",
  contentType: "application/pdf",
  content: new Uint8Array(50_000).fill(9),
};
const order = {
  to: "ann@example.com",
  subject: "Order 4711 🎉",
  html: '<p>It is <b>here</b>.</p><img src="cid:logo">',
  attachments: [logo, terms],
  email: { senderName: "Shop", replyTo: "help@shop.example" },
  waitMs: 10_000,
} as const satisfies StoredMessageRequest;

test("a stored mail arrives with all that it was given", async (t) => {
  const { emails, project, received } = await setUp(t);

  const kept = await emails.send(project, order);

  assert.equal(kept.delivery.state, "delivered");
  // Made of the HTML, as it went out.
  assert.equal(kept.text, "It is here.");
  const [mail] = received;
  assert.equal(mail?.subject, order.subject);
  assert.deepEqual(mail?.from, {
    name: "Shop",
    address: "noreply@localhost",
  });
  assert.deepEqual(mail?.replyTo, [{ name: "", address: "help@shop.example" }]);
  assert.equal(mail?.html?.trim(), order.html);
  assert.equal(mail?.text?.trim(), "It is here.");
  assert.deepEqual(
    mail?.attachments.map(({ filename, mimeType, content }) => [
      filename,
      mimeType,
      typeof content !== "string" && new Uint8Array(content),
    ]),
    [logo, terms].map(({ name, contentType, content }) => [
      name,
      contentType,
      content,
    ]),
  );
  assert.deepEqual(
    kept.attachments.map(({ name, size }) => [name, size]),
    [
      ["logo.png", 2000],
      ["Bedingungen für März.pdf", 50_000],
    ],
  );
});

test("the files of a bulk are read once for those that are sent at once", async (t) => {
  const { emails, project, received, reads } = await setUp(t);
  const { to: _, ...content } = order;
  // No more than go at once: the others would wait for a clock that stands.
  const addresses = Array.from({ length: 20 }, (_, n) => `a${n}@example.com`);

  const kept = await emails.sendBulk(project, { ...content, to: addresses });

  assert.deepEqual(
    new Set(kept.map((it) => it.delivery.state)),
    new Set(["delivered"]),
  );
  assert.equal(received.length, 20);
  assert.ok(received.every(({ attachments }) => attachments.length === 2));
  assert.ok(reads() < 5, `${reads()} reads`);
});

test("a mail without files has none looked up", async (t) => {
  const { emails, project, received, reads } = await setUp(t);
  const { attachments: _, ...rest } = order;
  await emails.send(project, { ...rest, html: "<p>Hi</p>" });
  assert.equal(received.length, 1);
  assert.equal(reads(), 0);
});

for (const [what, change, code, message] of [
  [
    "a sender that is not allowed",
    { email: { from: "ceo@bank.example" } },
    "MESSAGE_OPTION_INVALID",
    /email\.senders/,
  ],
  [
    "a recipient with a name",
    { to: '"Ann" <ann@example.com>' },
    "RECIPIENTS_INVALID",
    /name beside it/,
  ],
  [
    "files that are too large",
    { attachments: [logo, { ...terms, content: new Uint8Array(7_340_000) }] },
    "MESSAGE_OPTION_INVALID",
    /7340032 is the most/,
  ],
  [
    "a second line of the subject",
    { subject: "a\r\nBcc: eve@example.com" },
    "SUBJECT_INVALID",
    /one line/,
  ],
  [
    "an image that is not there",
    { attachments: [] },
    "MESSAGE_INVALID",
    /cid:logo/,
  ],
] as const) {
  test(`${what} is refused, and nothing is stored`, async (t) => {
    const { emails, project } = await setUp(t);
    await assert.rejects(emails.send(project, { ...order, ...change }), {
      code,
      message,
    });
    const { messages } = await emails.list(project, {}, { limit: 10 });
    assert.deepEqual(messages, []);
  });
}

async function setUp(t: TestContext) {
  const received: Email[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    closeTimeout: 1,
    async onData(stream, _session, callback) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      received.push(await PostalMime.parse(Buffer.concat(chunks)));
      callback();
    },
  });
  smtp.on("error", () => {});
  smtp.listen(0, "127.0.0.1");
  await once(smtp.server, "listening");
  t.after(() => new Promise<void>((resolve) => smtp.close(() => resolve())));
  const { port } = smtp.server.address() as AddressInfo;

  const folder = await mkdtemp(join(tmpdir(), "carillon-mails-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clock = new ManualClock();
  const store = await openSqliteStore({ folder, clock });
  t.after(() => store.close());
  let reads = 0;
  const mails = createEmailChannel({
    smtpUrl: `smtp://127.0.0.1:${port}`,
    from: "noreply@localhost",
    links: createLinks({
      publicUrl: () => "https://notify.example",
      region: testRegion,
      tokens: createSubscriptionTokens(testKey),
    }),
    logger: silentLogger,
    readAttachments: (seq) => {
      reads++;
      return store.readAttachments(seq);
    },
  });
  t.after(() => mails.close());
  const server = await startTestServer({ store, clock, mails });
  t.after(() => server[Symbol.asyncDispose]());
  return {
    emails: server.stored.email,
    project: server.credentials.project.id as ProjectId,
    received,
    reads: () => reads,
  };
}
