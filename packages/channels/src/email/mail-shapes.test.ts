/** What mails look like when a server has them, read by another library. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import type { Attachment, EmailOptions, Message } from "@carillon/core";
import { message, recipient, text, withTopic } from "../fixtures.test.ts";
import {
  createChannel,
  deliver,
  type ReceivedMail,
  startServer,
} from "./mail-fixtures.test.ts";

const bytesOf = (count: number) =>
  Uint8Array.from({ length: count }, (_, at) => (at * 7919) % 256);

const pdf: Attachment = {
  name: "invoice.pdf",
  contentType: "application/pdf",
  content: bytesOf(5000),
};
const logo: Attachment = {
  name: "logo.png",
  contentType: "image/png",
  contentId: "logo@shop.example",
  content: bytesOf(300),
};
const html =
  '<p>Your order is <b>here</b>. <img src="cid:logo@shop.example"></p>';

interface Shape {
  readonly subject?: string;
  readonly content: Message["content"];
  readonly email?: EmailOptions;
  readonly files?: readonly Attachment[];
  /** Media types from the outside in. */
  readonly parts: readonly string[];
  /** Default: the content's own. */
  readonly text?: string;
}

const shapes: Readonly<Record<string, Shape>> = {
  "text only": { content: text("Hi"), parts: ["text/plain"] },
  "HTML and text": {
    content: { kind: "mail", text: "Plain", html },
    parts: ["multipart/alternative", "text/plain", "text/html"],
  },
  "HTML only": {
    content: { kind: "mail", text: "", html },
    text: "Your order is here.",
    parts: ["multipart/alternative", "text/plain", "text/html"],
  },
  "text with a file": {
    content: text("Hi"),
    files: [pdf],
    parts: ["multipart/mixed", "text/plain", "application/pdf"],
  },
  "HTML with an inline image": {
    content: { kind: "mail", text: "Plain", html },
    files: [logo],
    parts: [
      "multipart/alternative",
      "text/plain",
      "multipart/related",
      "text/html",
      "image/png",
    ],
  },
  "HTML with an inline image and files": {
    content: { kind: "mail", text: "Plain", html },
    files: [logo, pdf, { ...pdf, name: "terms.pdf", content: bytesOf(1) }],
    parts: [
      "multipart/mixed",
      "multipart/alternative",
      "text/plain",
      "multipart/related",
      "text/html",
      "image/png",
      "application/pdf",
      "application/pdf",
    ],
  },
  "an empty file": {
    content: text("Hi"),
    files: [{ ...pdf, content: bytesOf(0) }],
    parts: ["multipart/mixed", "text/plain", "application/pdf"],
  },
  "names of files in other scripts": {
    content: text("Hi"),
    files: ["Rechnung März.pdf", "請求書 🧾.pdf", "a\"; b=c'%41.pdf"].map(
      (name) => ({ ...pdf, name }),
    ),
    parts: [
      "multipart/mixed",
      "text/plain",
      ...Array(3).fill("application/pdf"),
    ],
  },
  "a file with parameters of its type": {
    content: text("Hi"),
    files: [
      {
        name: "invite.ics",
        contentType: "text/calendar; method=REQUEST; charset=utf-8",
        // The reader of the tests makes \n of \r\n in texts.
        content: new TextEncoder().encode("BEGIN:VCALENDAR\n"),
      },
    ],
    parts: ["multipart/mixed", "text/plain", "text/calendar"],
  },
  "long lines": {
    content: {
      kind: "mail",
      text: `${"word ".repeat(3000)}\n${"x".repeat(5000)}\n.\n..`,
      html: `<p>${"y".repeat(5000)}</p>\n.\n<p>é</p>`,
    },
    parts: ["multipart/alternative", "text/plain", "text/html"],
  },
  "an emoji subject and a sender's name in another script": {
    subject: `👩‍🚀 ${"Grüße ".repeat(40)}🎉`,
    content: text("Hi"),
    email: { senderName: 'Café "Zur Post", 社 🏤' },
    parts: ["text/plain"],
  },
  "words from right to left": {
    subject: "\u200fשלום, עולם!",
    content: {
      kind: "mail",
      text: "مرحبا",
      html: '<p dir="rtl">مرحبا</p>',
    },
    parts: ["multipart/alternative", "text/plain", "text/html"],
  },
  "a mail of as many bytes as may be": {
    content: {
      kind: "mail",
      text: "x".repeat(262_144),
      html: `<p>${"é".repeat(500_000)}</p>`,
    },
    files: [{ ...pdf, content: bytesOf(7_340_032) }],
    parts: [
      "multipart/mixed",
      "multipart/alternative",
      "text/plain",
      "text/html",
      "application/pdf",
    ],
  },
};

describe("a mail arrives as it was given", { concurrency: true }, () => {
  for (const [what, shape] of Object.entries(shapes)) {
    test(what, async (t) => {
      const server = await startServer(t);
      const { content, files = [], subject = "Order" } = shape;
      const channel = createChannel(t, server.url, {
        readAttachments: async () => files,
      });
      const size = files.reduce((sum, file) => sum + file.content.length, 0);
      const result = await deliver(
        channel,
        direct({
          subject,
          content,
          ...(shape.email && { email: shape.email }),
          ...(files.length > 0 && { attachmentBytes: size }),
        }),
      );

      assert.equal(result.outcome, "delivered");
      const received = await server.only();
      const { mail, raw } = received;
      assert.deepEqual(mediaTypesOf(received), shape.parts);
      assert.equal(mail.subject, subject);
      assert.equal(mail.from?.name, shape.email?.senderName ?? "");
      const given = content.kind === "mail" ? content.text : "Hi";
      assert.equal(mail.text?.trimEnd(), (shape.text ?? given).trimEnd());
      assert.equal(
        mail.html?.trimEnd(),
        content.kind === "mail" ? content.html : undefined,
      );
      assert.deepEqual(mail.attachments.map(describeFile), [
        ...files.map(({ name, contentType, contentId, content: bytes }) => ({
          name,
          type: contentType.split(";")[0],
          id: contentId === undefined ? undefined : `<${contentId}>`,
          disposition: contentId === undefined ? "attachment" : "inline",
          hash: hashOf(bytes),
        })),
      ]);
      const lines = raw.toString("latin1").split("\r\n");
      assert.ok(lines.every((line) => line.length <= 998));
      // What many servers take.
      assert.ok(raw.length < 13_000_000);
    });
  }
});

test("a mail names its sender, its reply address and how to unsubscribe", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url, { senders: ["bücher.example"] });
  await deliver(
    channel,
    direct({
      email: {
        from: "shop@bücher.example",
        replyTo: "help@elsewhere.example",
        unsubscribeUrl: "https://shop.example/leave?u=1",
      },
    }),
  );
  const { mail, headers, envelope } = await server.only();
  assert.equal(headers.from, "shop@xn--bcher-kva.example");
  assert.equal(headers["reply-to"], "help@elsewhere.example");
  assert.match(mail.messageId ?? "", /@xn--bcher-kva\.example>$/);
  assert.equal(envelope.from, "shop@bücher.example");
  assert.equal(headers["list-unsubscribe"], "<https://shop.example/leave?u=1>");
  assert.equal(headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
});

test("nothing is sent from an address that is no sender any more", async (t) => {
  const server = await startServer(t);
  const result = await deliver(
    createChannel(t, server.url),
    direct({ email: { from: "ceo@carillon.example" } }),
  );
  assert.equal(result.outcome, "rejected");
  assert.match(String("error" in result && result.error), /email\.senders/);
  assert.equal(server.connections(), 0);
});

test("HTML to a topic's subscribers ends with the way out, in their title's own words", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url);
  await deliver(
    channel,
    withTopic(
      { displayName: "<b>R&D</b>" },
      { kind: "mail", text: "", html: "<body><p>Hi</p></body>" },
    ),
  );
  const { mail } = await server.only();
  assert.match(
    mail.html ?? "",
    /<p>Hi<\/p><p>To receive no more messages from &#60;b&#62;R&#38;D&#60;\/b&#62;, open this link:<br><a href="https:[^"]*\/u\/[^"]*">.*<\/p>\n<\/body>/,
  );
  assert.match(mail.text ?? "", /^Hi\n\nTo receive no more messages from <b>R/);
});

test("reports are expected where they come back, by the mail's id", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url, {
    expectsReports: true,
    returnPath: ({ seq }, { target }) => `b-${seq}-${target}@bounce.example`,
  });
  const result = await deliver(channel, direct());
  const { mail, envelope } = await server.only();
  assert.deepEqual(result, {
    outcome: "accepted",
    statusCode: 250,
    provider: "email",
    parts: [{ externalId: /^<([^@]+)@/.exec(mail.messageId ?? "")?.[1] }],
    receiptExpected: true,
  });
  assert.equal(envelope.from, "b-1-7@bounce.example");
  assert.equal(mail.from?.address, "noreply@carillon.example");
});

test("Mandrill is told a mail's name, and others are not", async (t) => {
  for (const namesMailsToMandrill of [true, undefined]) {
    const server = await startServer(t);
    const channel = createChannel(t, server.url, { namesMailsToMandrill });
    await deliver(channel, direct());
    const { mail } = await server.only();
    const id = /^<([^@]+)@/.exec(mail.messageId ?? "")?.[1];
    assert.equal(
      mail.headers.find(({ key }) => key === "x-mc-metadata")?.value,
      namesMailsToMandrill && `{"carillon_mail":"${id}"}`,
    );
  }
});

for (const [what, options, outcome, error] of [
  ["hides it", { hideSMTPUTF8: true }, "rejected", /SMTPUTF8/],
  ["offers it", {}, "delivered", undefined],
] as const) {
  test(`an address beyond ASCII is ${outcome} by a server that ${what}`, async (t) => {
    const server = await startServer(t, options);
    const channel = createChannel(t, server.url);
    const prepared = await channel.prepare(direct());
    const result = await prepared.deliver(
      recipient("email", "jané@bücher.example"),
    );
    assert.equal(result.outcome, outcome);
    if (error) {
      assert.match(String("error" in result && result.error), error);
      assert.deepEqual(await server.mails(), []);
      return;
    }
    const { envelope } = await server.only();
    assert.deepEqual(envelope.to, ["jané@bücher.example"]);
    // The server is not asked again.
    const before = server.connections();
    await prepared.deliver(recipient("email", "zoë@example.com"));
    assert.equal(server.connections(), before);
  });
}

test("a server that is away is no server without SMTPUTF8", async (t) => {
  const { url, close } = await startServer(t);
  await close();
  const prepared = await createChannel(t, url).prepare(direct());
  const result = await prepared.deliver(recipient("email", "jané@example.com"));
  assert.deepEqual(result, {
    outcome: "deferred",
    errorClass: "unreachable",
    error: "The mail server could not be reached: ECONNREFUSED.",
  });
});

/** A message with recipients of its own. */
function direct(change: Partial<Message> = {}): Message {
  const { topic: _, ...rest } = message();
  return { ...rest, audience: "direct", ...change };
}

function mediaTypesOf({ raw }: ReceivedMail): string[] {
  return [...raw.toString("latin1").matchAll(/^Content-Type: ([^;\r]+)/gm)].map(
    ([, type = ""]) => type,
  );
}

function describeFile(
  file: ReceivedMail["mail"]["attachments"][number],
): object {
  const { content } = file;
  assert.ok(typeof content !== "string");
  return {
    name: file.filename,
    type: file.mimeType,
    id: file.contentId,
    disposition: file.disposition,
    hash: hashOf(new Uint8Array(content)),
  };
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
