/** What cannot be sent is refused with a reason, and nothing of it is stored. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../../test-support/test-server.ts";

const text = { to: "+420777123456", text: "hi" };
const mail = { to: "ada@example.org", subject: "s", text: "hi" };

/** One file that mails carry. */
function attached(more: object = {}) {
  const file = { name: "a.bin", contentType: "application/octet-stream" };
  return { ...mail, attachments: [{ ...file, content: "AAAA", ...more }] };
}

function aboutObject(object: unknown) {
  return { ...text, relatedObjects: [object] };
}

/** In base64. */
function bytes(count: number): string {
  return Buffer.alloc(count, 1).toString("base64");
}

const rows: readonly (readonly [
  what: string,
  path: string,
  body: unknown,
  status: number,
  code: string,
  detail: RegExp,
])[] = [
  [
    "no recipient",
    "sms",
    { text: "x" },
    400,
    "REQUEST_INVALID",
    /^to is missing/,
  ],
  [
    "no text",
    "sms",
    { to: text.to },
    400,
    "MESSAGE_INVALID",
    /text is missing/,
  ],
  [
    "an empty text",
    "sms",
    { ...text, text: "" },
    400,
    "MESSAGE_INVALID",
    /text|message/i,
  ],
  [
    "a recipient that is none",
    "sms",
    { ...text, to: "x" },
    400,
    "RECIPIENTS_INVALID",
    /./,
  ],
  [
    "an empty recipient",
    "sms",
    { ...text, to: "" },
    400,
    "RECIPIENTS_INVALID",
    /./,
  ],
  [
    "a recipient that is empty after clean-up",
    "sms",
    { ...text, to: " - - " },
    400,
    "RECIPIENTS_INVALID",
    /./,
  ],
  [
    "a recipient that is too long",
    "sms",
    { ...text, to: `+${"1".repeat(30)}` },
    400,
    "RECIPIENTS_INVALID",
    /./,
  ],
  [
    "a recipient that is a number",
    "sms",
    { ...text, to: 420 },
    400,
    "REQUEST_INVALID",
    /^to must be string/,
  ],
  [
    "a level of accents that there is not",
    "sms",
    { ...text, accents: "none" },
    400,
    "MESSAGE_OPTION_INVALID",
    /accents/,
  ],
  [
    "accents of a mail",
    "emails",
    { ...mail, accents: "keep" },
    400,
    "REQUEST_INVALID",
    /accents/,
  ],
  [
    "an address that is none",
    "emails",
    { ...mail, to: "ada" },
    400,
    "RECIPIENTS_INVALID",
    /./,
  ],
  [
    "an address with a header in it",
    "emails",
    { ...mail, to: "ada@example.org\r\nBcc: b@c.example" },
    400,
    "RECIPIENTS_INVALID",
    /./,
  ],
  [
    "a backend that is not there",
    "sms",
    { ...text, backend: "nobody" },
    400,
    "MESSAGE_OPTION_INVALID",
    /^Invalid backend: there is no provider called "nobody"/,
  ],
  [
    "a tag of 51 characters",
    "sms",
    { ...text, tag: "t".repeat(51) },
    400,
    "MESSAGE_OPTION_INVALID",
    /tag .*50 characters/,
  ],
  [
    "a tag with a blank",
    "sms",
    { ...text, tag: "a b" },
    400,
    "MESSAGE_OPTION_INVALID",
    /Invalid tag/,
  ],
  [
    "priority 0",
    "sms",
    { ...text, priority: 0 },
    400,
    "MESSAGE_OPTION_INVALID",
    /Invalid priority/,
  ],
  [
    "priority 4",
    "sms",
    { ...text, priority: 4 },
    400,
    "MESSAGE_OPTION_INVALID",
    /Invalid priority/,
  ],
  [
    "priority 1.5",
    "emails",
    { ...mail, priority: 1.5 },
    400,
    "MESSAGE_OPTION_INVALID",
    /Invalid priority/,
  ],
  [
    "priority as text",
    "sms",
    { ...text, priority: "1" },
    400,
    "MESSAGE_OPTION_INVALID",
    /priority must be number/,
  ],
  [
    "an object without a type",
    "sms",
    aboutObject({ id: 1 }),
    400,
    "MESSAGE_OPTION_INVALID",
    /type is missing/,
  ],
  [
    "an object without an id",
    "sms",
    aboutObject({ type: "user" }),
    400,
    "MESSAGE_OPTION_INVALID",
    /id is missing/,
  ],
  [
    "an object that is a text",
    "sms",
    aboutObject("user=1"),
    400,
    "MESSAGE_OPTION_INVALID",
    /must be object/,
  ],
  [
    "an object's id that is null",
    "sms",
    aboutObject({ type: "user", id: null }),
    400,
    "MESSAGE_OPTION_INVALID",
    /id/,
  ],
  [
    "an object's id that is no whole number",
    "sms",
    aboutObject({ type: "user", id: 1.5 }),
    400,
    "MESSAGE_OPTION_INVALID",
    /Invalid relatedObjects\[0\]/,
  ],
  [
    "an object's id beyond 2^53",
    "sms",
    aboutObject({ type: "user", id: 2 ** 53 }),
    400,
    "MESSAGE_OPTION_INVALID",
    /below 2\^53/,
  ],
  [
    "an object's empty id",
    "sms",
    aboutObject({ type: "user", id: "" }),
    400,
    "MESSAGE_OPTION_INVALID",
    /Invalid relatedObjects\[0\]/,
  ],
  [
    "an object's type with a blank",
    "sms",
    aboutObject({ type: "a b", id: 1 }),
    400,
    "MESSAGE_OPTION_INVALID",
    /type must be/,
  ],
  [
    "an object's unknown member",
    "sms",
    aboutObject({ type: "a", id: 1, createdAt: "x" }),
    400,
    "REQUEST_INVALID",
    /has no member createdAt/,
  ],
  [
    "33 objects",
    "sms",
    {
      ...text,
      relatedObjects: Array.from({ length: 33 }, (_, id) => ({
        type: "user",
        id,
      })),
    },
    400,
    "MESSAGE_OPTION_INVALID",
    /32 is the most/,
  ],
  [
    "an unknown member",
    "sms",
    { ...text, txt: "x" },
    400,
    "REQUEST_INVALID",
    /no member txt/,
  ],
  [
    "a mail's member in a text",
    "sms",
    { ...text, subject: "x" },
    400,
    "REQUEST_INVALID",
    /no member subject/,
  ],
  [
    "a text's member in a mail",
    "emails",
    { ...mail, sender: "ACME" },
    400,
    "REQUEST_INVALID",
    /no member sender/,
  ],
  [
    "a null byte in a text",
    "sms",
    { ...text, text: "a\0b" },
    400,
    "MESSAGE_INVALID",
    /U\+0000/,
  ],
  [
    "a null byte in a subject",
    "emails",
    { ...mail, subject: "a\0b" },
    400,
    "SUBJECT_INVALID",
    /./,
  ],
  [
    "a null byte in extra data",
    "sms",
    { ...text, extraData: { a: "\0" } },
    400,
    "MESSAGE_OPTION_INVALID",
    /U\+0000/,
  ],
  [
    "extra data that is a list",
    "sms",
    { ...text, extraData: [] },
    400,
    "MESSAGE_OPTION_INVALID",
    /extraData/,
  ],
  [
    "extra data of 9 KB",
    "sms",
    {
      ...text,
      extraData: Object.fromEntries(
        ["a", "b"].map((name) => [name, "x".repeat(4500)]),
      ),
    },
    400,
    "MESSAGE_OPTION_INVALID",
    /8192/,
  ],
  [
    "half a pair of surrogates",
    "sms",
    { ...text, text: "\ud800" },
    400,
    "BODY_MALFORMED",
    /surrogate/,
  ],
  [
    "a header in a subject",
    "emails",
    { ...mail, subject: "a\r\nBcc: b@c.example" },
    400,
    "SUBJECT_INVALID",
    /./,
  ],
  [
    "a header in a sender's name",
    "emails",
    { ...mail, email: { senderName: "a\r\nBcc: b@c.example" } },
    400,
    "MESSAGE_OPTION_INVALID",
    /senderName/,
  ],
  [
    "a header in a sender",
    "emails",
    { ...mail, email: { from: "a@b.example\r\nBcc: b@c.example" } },
    400,
    "MESSAGE_OPTION_INVALID",
    /email\.from/,
  ],
  [
    "a header in a reply address",
    "emails",
    { ...mail, email: { replyTo: "a@b.example\nX: y" } },
    400,
    "MESSAGE_OPTION_INVALID",
    /replyTo/,
  ],
  [
    "a header in a text's sender",
    "sms",
    { ...text, sender: "A\r\nB" },
    400,
    "MESSAGE_OPTION_INVALID",
    /sender/,
  ],
  [
    "a sender ID that is too long",
    "sms",
    { ...text, sender: "ABCDEFGHIJKL" },
    400,
    "MESSAGE_OPTION_INVALID",
    /sender/,
  ],
  [
    "a mail that says nothing",
    "emails",
    { to: mail.to, subject: "s" },
    400,
    "MESSAGE_INVALID",
    /text or html/,
  ],
  [
    "an attachment that is no base64",
    "emails",
    attached({ content: "AAA" }),
    400,
    "MESSAGE_INVALID",
    /attachments\[0\]\.content/,
  ],
  [
    "an attachment without a name",
    "emails",
    attached({ name: "" }),
    400,
    "MESSAGE_OPTION_INVALID",
    /attachments/,
  ],
  [
    "a header in an attachment's name",
    "emails",
    attached({ name: "a\r\nX: y" }),
    400,
    "MESSAGE_OPTION_INVALID",
    /attachments/,
  ],
  [
    "a header in a media type",
    "emails",
    attached({ contentType: "a/b\r\nX: y" }),
    400,
    "MESSAGE_OPTION_INVALID",
    /attachments/,
  ],
  [
    "a header in a content id",
    "emails",
    attached({ contentId: "a\r\nX" }),
    400,
    "MESSAGE_OPTION_INVALID",
    /attachments/,
  ],
  [
    "an attachment of 8 MB",
    "emails",
    attached({ content: bytes(8_000_000) }),
    400,
    "MESSAGE_OPTION_INVALID",
    /attachments|bytes/,
  ],
  [
    "an attachment of 10 MB",
    "emails",
    attached({ content: bytes(10_000_000) }),
    413,
    "BODY_TOO_LARGE",
    /larger than 12932440 bytes/,
  ],
  [
    "33 attachments",
    "emails",
    {
      ...mail,
      attachments: Array.from({ length: 33 }, (_, n) => ({
        name: `a${n}`,
        contentType: "a/b",
        content: "",
      })),
    },
    400,
    "MESSAGE_OPTION_INVALID",
    /32/,
  ],
  [
    "a wait of 31 s",
    "sms",
    { ...text, waitSeconds: 31 },
    400,
    "REQUEST_INVALID",
    /waitSeconds must be <= 30/,
  ],
  [
    "a wait below 0",
    "sms",
    { ...text, waitSeconds: -1 },
    400,
    "REQUEST_INVALID",
    /waitSeconds/,
  ],
  [
    "a time that is none",
    "sms",
    { ...text, notBefore: "soon" },
    400,
    "REQUEST_INVALID",
    /notBefore/,
  ],
  [
    "a life of 0",
    "sms",
    { ...text, timeToLiveSeconds: 0 },
    400,
    "TIME_TO_LIVE_INVALID",
    /./,
  ],
  [
    "a class that is none",
    "sms",
    { ...text, class: "x" },
    400,
    "MESSAGE_OPTION_INVALID",
    /class/,
  ],
  [
    "a status URL that is none",
    "sms",
    { ...text, statusUrl: "x" },
    400,
    "MESSAGE_OPTION_INVALID",
    /statusUrl/,
  ],
  [
    "a body that is a list",
    "sms",
    [text],
    400,
    "REQUEST_INVALID",
    /JSON object/,
  ],
  [
    "a bulk to nobody",
    "sms/bulk",
    { ...text, to: [] },
    400,
    "RECIPIENTS_INVALID",
    /to /,
  ],
  [
    "a bulk with one who is none",
    "sms/bulk",
    { ...text, to: [text.to, "x"] },
    400,
    "RECIPIENTS_INVALID",
    /./,
  ],
  [
    "a bulk to 10,001",
    "sms/bulk",
    {
      ...text,
      to: Array.from({ length: 10_001 }, (_, n) => `+4207771${10_000 + n}`),
    },
    400,
    "RECIPIENTS_INVALID",
    /10000/,
  ],
  [
    "a bulk that waits",
    "sms/bulk",
    { ...text, to: [text.to], waitSeconds: 1 },
    400,
    "REQUEST_INVALID",
    /no member waitSeconds/,
  ],
  [
    "a template that is not there",
    "sms/from-template",
    { to: text.to, slug: "nothing" },
    404,
    "TEMPLATE_NOT_FOUND",
    /./,
  ],
  [
    "a mail template that is not there",
    "emails/from-template",
    { to: mail.to, slug: "nothing" },
    404,
    "TEMPLATE_NOT_FOUND",
    /./,
  ],
  [
    "a template without a slug",
    "sms/from-template",
    { to: text.to },
    400,
    "REQUEST_INVALID",
    /slug is missing/,
  ],
  [
    "a context that is a list",
    "sms/from-template",
    { to: text.to, slug: "a", context: [] },
    400,
    "REQUEST_INVALID",
    /context must be object/,
  ],
  [
    "a template with a text",
    "sms/from-template",
    { ...text, slug: "a" },
    400,
    "REQUEST_INVALID",
    /no member text/,
  ],
];

test("what cannot be sent is refused precisely, and nothing is stored", async (t) => {
  await using server = await startTestServer();
  for (const [path, body] of [
    ["sms", text],
    ["emails", mail],
  ] as const) {
    await server.call("POST", `/api/v2/${path}`, body);
  }
  const stored = async () => {
    const lists = ["sms", "emails", "messages"].map(async (path) => {
      const { body } = await server.call("GET", `/api/v2/${path}`);
      return body.messages.map(({ id }: { id: string }) => id);
    });
    return await Promise.all(lists);
  };
  const before = await stored();
  assert.deepEqual(
    before.map((it) => it.length),
    [1, 1, 2],
  );
  for (const [what, path, body, status, code, detail] of rows) {
    await t.test(what, async () => {
      const answer = await server.call("POST", `/api/v2/${path}`, body);
      assert.equal(answer.body.code, code, JSON.stringify(answer.body));
      assert.equal(answer.status, status);
      assert.match(answer.body.detail, detail);
      assert.ok(answer.body.detail.length < 2000);
    });
  }
  assert.deepEqual(await stored(), before);
});

test("queries that cannot be are refused precisely", async (t) => {
  await using server = await startTestServer();
  const related = "relatedObjectType=a&relatedObjectId=1";
  for (const [query, status, code] of [
    ["?limit=0", 400, "PAGE_INVALID"],
    ["?limit=1001", 400, "PAGE_INVALID"],
    ["?limit=x", 400, "PAGE_INVALID"],
    ["?before=x", 400, "PAGE_INVALID"],
    ["?before=", 400, "PAGE_INVALID"],
    [`?before=${"0".repeat(32)}-0`, 404, "DELIVERY_NOT_FOUND"],
    ["?before=a&before=b", 400, "PAGE_INVALID"],
    ["?state=lost", 400, "REQUEST_INVALID"],
    ["?since=x", 400, "REQUEST_INVALID"],
    [
      "?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
      400,
      "REQUEST_INVALID",
    ],
    ["?relatedObjectId=1", 400, "MESSAGE_OPTION_INVALID"],
    ["?relatedObject=a", 400, "REQUEST_INVALID"],
    [`/was-sent?${related}`, 400, "REQUEST_INVALID"],
    ["/was-sent?template=a", 400, "MESSAGE_OPTION_INVALID"],
    ["/x", 404, "DELIVERY_NOT_FOUND"],
    [`/${"0".repeat(32)}-0`, 404, "DELIVERY_NOT_FOUND"],
    [`/${"0".repeat(32)}-99999999999999999999`, 404, "DELIVERY_NOT_FOUND"],
    ["/x/related-objects", 404, "DELIVERY_NOT_FOUND"],
  ] as const) {
    await t.test(query, async () => {
      const answer = await server.call("GET", `/api/v2/sms${query}`);
      assert.deepEqual([answer.status, answer.body.code], [status, code]);
      assert.ok(answer.body.detail);
    });
  }
});
