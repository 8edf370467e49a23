import assert from "node:assert/strict";
import { test } from "node:test";
import { messageLines } from "./message-details.ts";

const now = Date.UTC(2026, 0, 2);

test("shows all of a message, what this version does not know too", () => {
  const report = {
    id: "m",
    audience: "topics",
    topicUrns: ["urn:a", "urn:b"],
    subject: "Full\u001b[31m",
    kind: "text",
    acceptedAt: "2026-01-01T00:00:00.000Z",
    notBefore: "2026-01-01T12:00:00.000Z",
    expiresAt: "2026-01-05T00:00:00.000Z",
    timeToLiveSeconds: { sms: 60, https: 3600 },
    class: "bulk",
    tag: "t",
    priority: 1,
    sms: { sender: "ACME", validityMinutes: 5, params: { a: "b" } },
    relatedObjects: [
      { type: "order", id: "4711" },
      { type: "user", id: "7" },
    ],
    attributes: [{ name: "colour", type: "STRING", value: "red" }],
    extraData: { cart: [1, 2] },
    statusUrl: "https://a.example/s",
    later: { a: 1 },
    fannedOut: true,
    counts: { delivered: 2, failed: 1 },
    text: "one\ntwo\u0007",
  };
  assert.deepEqual(messageLines(report, { now }), [
    "id               m",
    "audience         topics",
    "topics           urn:a, urn:b",
    "subject          Full [31m",
    "kind             text",
    "accepted         2026-01-01 00:00:00 (24 h ago)",
    "not before       2026-01-01 12:00:00 (12 h ago)",
    "expires          2026-01-05 00:00:00 (in 3 d)",
    "time to live     sms 60 s, https 3600 s",
    "class            bulk",
    "tag              t",
    "priority         1",
    'texts            sender ACME, validity 5 min, params {"a":"b"}',
    "related objects  order=4711, user=7",
    "attributes       colour=red",
    'extra data       {"cart":[1,2]}',
    "status URL       https://a.example/s",
    'later            {"a":1}',
    "deliveries       2 delivered, 1 failed",
    "",
    "one",
    "two ",
  ]);
});

test("of a message that is held or under way it says so", () => {
  const report = { id: "m", fannedOut: false, counts: {} };
  const notBefore = "2026-01-04T00:00:00.000Z";
  const last = (lines: readonly string[]) => lines.at(-1)?.slice(17);
  assert.equal(last(messageLines(report, { now })), "none yet");
  assert.equal(
    last(messageLines({ ...report, notBefore }, { now })),
    "Not sent before 2026-01-04 00:00:00 UTC, in 2 d.",
  );
  assert.equal(
    last(messageLines({ ...report, counts: { sent: 1 } }, { now })),
    "1 sent, more follow",
  );
  assert.equal(
    last(messageLines({ ...report, fannedOut: true }, { now })),
    "none",
  );
});

test("a long fact goes on below itself", () => {
  const lines = messageLines(
    {
      id: "m",
      fannedOut: true,
      counts: {},
      sms: {
        sender: "ACMENEWS",
        provider: "carrier",
        validityMinutes: 30,
        allowReply: true,
        statusReport: true,
        params: { campaign: "spring", tracking: "none" },
      },
    },
    { width: 80 },
  );
  assert.deepEqual(lines, [
    "id               m",
    "texts            sender ACMENEWS, provider carrier, validity 30 min, allowReply",
    "                 true, statusReport true, params",
    '                 {"campaign":"spring","tracking":"none"}',
    "deliveries       none",
  ]);
});

test("each variant has its text", () => {
  const lines = messageLines({
    id: "m",
    fannedOut: true,
    counts: {},
    variants: { default: "long", sms: "short" },
  });
  assert.deepEqual(lines.slice(-6), [
    "",
    "default:",
    "long",
    "",
    "sms:",
    "short",
  ]);
});
