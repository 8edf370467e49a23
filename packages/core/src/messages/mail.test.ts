import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCost } from "@carillon/testing";
import { checkMail, type MailRequest, mailLimits } from "./mail.ts";

const bytes = (count: number) => new Uint8Array(count);
const pdf = {
  name: "Rechnung für März 🧾.pdf",
  contentType: "application/pdf",
  content: bytes(3),
};
const logo = {
  name: "logo.png",
  contentType: "image/png",
  contentId: "logo@shop",
  content: bytes(2),
};

test("a mail of text is as any text", () => {
  assert.deepEqual(checkMail({ text: "Hi", subject: "Order" }), {
    subject: "Order",
    content: { kind: "text", text: "Hi" },
    attachments: [],
  });
});

test("HTML comes with its text, or with none", () => {
  const html = "<p>Hi</p>";
  for (const [text, kept] of [
    ["Hi", "Hi"],
    ["", ""],
    [null, ""],
    [undefined, ""],
  ]) {
    assert.deepEqual(checkMail({ text, html }).content, {
      kind: "mail",
      text: kept,
      html,
    });
  }
});

test("files are kept with what they have, and are counted", () => {
  const mail = checkMail({
    html: "<img src=\"cid:logo@shop\"> cid:prose <img src='cid:logo%40shop'>",
    attachments: [pdf, { ...logo, size: 99 }],
  });
  assert.deepEqual(mail.attachments, [pdf, logo]);
  assert.equal(mail.attachmentBytes, 5);
});

test("files may have all that is allowed, and not a byte more", () => {
  const one = { ...pdf, content: bytes(mailLimits.attachmentBytes) };
  const most = checkMail({ text: "x", attachments: [one] });
  assert.equal(most.attachmentBytes, mailLimits.attachmentBytes);
  assert.throws(
    () => checkMail({ text: "x", attachments: [one, logo] }),
    /7340034 bytes, 7340032 is the most \(email\.maxAttachmentBytes\)/,
  );
  assert.throws(
    () =>
      checkMail({ text: "x", attachments: [pdf] }, { maxAttachmentBytes: 2 }),
    /3 bytes, 2 is the most/,
  );
});

const withFile = (change: object): MailRequest => ({
  text: "x",
  attachments: [{ ...pdf, ...change }],
});

for (const contentType of [
  "text/calendar; method=REQUEST; charset=utf-8",
  'text/plain;charset="utf-8"',
  "application/vnd.ms-excel.sheet.macroEnabled.12",
]) {
  test(`takes a file of ${contentType}`, () => {
    const mail = checkMail(withFile({ contentType }));
    assert.equal(mail.attachments[0]?.contentType, contentType);
  });
}

for (const [what, request, code, message] of [
  ["nothing to say", {}, "MESSAGE_INVALID", /text or html is needed/],
  ["an empty text", { text: "" }, "MESSAGE_INVALID", /^Invalid message/],
  ["no HTML", { text: "x", html: " " }, "MESSAGE_INVALID", /^Invalid html/],
  ["HTML that is none", { html: 7 }, "MESSAGE_INVALID", /^Invalid html/],
  ["HTML with NUL", { html: "a\0" }, "MESSAGE_INVALID", /U\+0000/],
  [
    "HTML of more than 1 MB",
    { html: "é".repeat(524_289) },
    "MESSAGE_INVALID",
    /1024 KB/,
  ],
  [
    "a text of more than 256 KB",
    { html: "x", text: "x".repeat(262_145) },
    "MESSAGE_INVALID",
    /256 KB/,
  ],
  [
    "a subject of two lines",
    { text: "x", subject: "a\r\nBcc: b@c" },
    "SUBJECT_INVALID",
    /one line/,
  ],
  [
    "a long subject",
    { text: "x", subject: "x".repeat(513) },
    "SUBJECT_INVALID",
    /512/,
  ],
  [
    "an image that is not there",
    { html: '<img src="cid:log">', attachments: [logo] },
    "MESSAGE_INVALID",
    /cid:log, and no attachment/,
  ],
  [
    "a background that is not there",
    { html: "<p style='background:url(cid:bg)'>" },
    "MESSAGE_INVALID",
    /cid:bg/,
  ],
  [
    "files that are no list",
    { text: "x", attachments: {} },
    "MESSAGE_OPTION_INVALID",
    /a list is expected/,
  ],
  [
    "too many files",
    { text: "x", attachments: Array(33).fill(pdf) },
    "MESSAGE_OPTION_INVALID",
    /33 were given, 32/,
  ],
  [
    "a file that is null",
    { text: "x", attachments: [null] },
    "MESSAGE_OPTION_INVALID",
    /^Invalid attachments\[0\]: an object/,
  ],
  [
    "two files of one content id",
    { text: "x", attachments: [logo, logo] },
    "MESSAGE_OPTION_INVALID",
    /two have the contentId logo@shop/,
  ],
] as const) {
  test(`refuses ${what}`, () => {
    assert.throws(() => checkMail(request), { code, message });
  });
}

for (const [member, value] of [
  ["name", undefined],
  ["name", " "],
  ["name", "a\r\nX: 1"],
  ["name", "a\u2028b"],
  ["name", "../a"],
  ["name", "c:\\a"],
  ["name", "x".repeat(256)],
  ["name", "\ud83d"],
  ["contentType", undefined],
  ["contentType", "pdf"],
  ["contentType", "text/plain\r\nX: 1"],
  ["contentType", 'text/plain; name="a\r\nX: 1"'],
  ["contentType", "multipart/mixed"],
  ["contentType", "Message/rfc822"],
  ["contentType", "text/plain; charset"],
  ["contentId", "a b"],
  ["contentId", "a>\r\nX: 1"],
  ["contentId", ""],
  ["contentId", 7],
  ["contentId", "x".repeat(129)],
  ["content", "aGk="],
  ["content", undefined],
] as const) {
  test(`refuses a file with ${member} ${JSON.stringify(value)?.slice(0, 40)}`, () => {
    assert.throws(() => checkMail(withFile({ [member]: value })), {
      code: "MESSAGE_OPTION_INVALID",
      message: new RegExp(`^Invalid attachments\\[0\\]\\.${member}: `),
    });
  });
}

for (const [what, html] of [
  ["a value that never comes", `<a x=${" ".repeat(100_000)}`],
  ["equals signs", "=".repeat(100_000)],
  ["an address that never comes", `url(${" ".repeat(100_000)}`],
] as const) {
  test(`HTML with ${what} costs what its length does`, async () => {
    const usual = '<a x="y">z</a>'.repeat(7000);
    await assertCost(() => checkMail({ html }), {
      atMost: 50,
      timesThatOf: () => checkMail({ html: usual }),
    });
  });
}

test("hostile media types cost what their length does", async () => {
  const check = (contentType: string) =>
    assert.throws(() => checkMail(withFile({ contentType })));
  for (const length of [6, 60]) {
    const parameters = `;a=${"b".repeat(length)}`.repeat(4);
    await assertCost(() => check(`text/x${parameters};`), {
      atMost: 10,
      timesThatOf: () => check("text"),
    });
  }
});
