import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageId, ProjectId } from "../ids.ts";
import type { Attempt, Delivery } from "../messages/delivery.ts";
import type { Message } from "../messages/message.ts";
import type { StoredRecord } from "../ports/stored-message-store.ts";
import { toEpochMs } from "../time.ts";
import type { StoredMessage } from "./stored-message.ts";
import { toStoredMessage } from "./to-stored-message.ts";

const at = (ms: number) => toEpochMs(1_000_000 + ms);
const taken: Attempt = {
  at: at(100),
  durationMs: 20,
  outcome: "accepted",
};
const busy: Attempt = {
  at: at(10),
  durationMs: 5,
  errorClass: "provider",
  error: "busy",
  outcome: "deferred",
};
const report = { entry: "ats", externalId: "1", at: at(500) };
const actor = { userId: "u", userName: "alice" };

function viewOf(
  delivery: Partial<Delivery> = {},
  message: Partial<Message> = {},
  rest: Partial<StoredRecord> = {},
  channel: "sms" | "email" = "sms",
): StoredMessage {
  const definition = { name: channel };
  return toStoredMessage(channel, definition, {
    message: {
      seq: 1,
      id: "1".repeat(32) as MessageId,
      projectId: "2".repeat(32) as ProjectId,
      audience: "direct",
      content: { kind: "text", text: "hello" },
      createdAt: at(0),
      expiresAt: at(9000),
      ...message,
    },
    delivery: {
      messageSeq: 1,
      target: 3,
      protocol: channel,
      endpoint: "+420777123456",
      state: "waiting",
      attemptCount: delivery.attempts?.length ?? 0,
      attempts: [],
      ...delivery,
    },
    attachments: [],
    relatedObjects: [],
    ...rest,
  });
}

/** Each member that is derived, from what it is derived. */
const cases: readonly (readonly [
  title: string,
  view: StoredMessage,
  expected: { readonly [Name in keyof StoredMessage]?: unknown },
])[] = [
  [
    "what has just been stored",
    viewOf(),
    { changedAt: at(0), sentAt: undefined, error: undefined, priority: 3 },
  ],
  [
    "what was taken",
    viewOf({ state: "sent", attempts: [busy, taken], provider: "ats" }),
    {
      changedAt: at(120),
      sentAt: at(100),
      backend: "ats",
      error: undefined,
      isFinal: true,
      failed: false,
      isFailure: false,
    },
  ],
  [
    "what a report is to come of",
    viewOf({ state: "sent", attempts: [taken], receiptExpected: true }),
    { isFinal: false, isFailure: false },
  ],
  [
    "what is to be tried again",
    viewOf({ state: "retrying", attempts: [busy] }),
    {
      changedAt: at(15),
      sentAt: undefined,
      error: "busy",
      failed: true,
      isFinal: false,
      isFailure: false,
    },
  ],
  [
    "what is tried again behind one that may have been taken",
    viewOf({
      state: "retrying",
      attempts: [
        { ...taken, outcome: "unknown" },
        { ...busy, at: at(200) },
      ],
    }),
    { sentAt: at(100), error: "busy", changedAt: at(205) },
  ],
  [
    "what a carrier refused",
    viewOf({
      state: "rejected",
      attempts: [{ ...busy, outcome: "rejected", error: "no such number" }],
    }),
    {
      sentAt: undefined,
      error: "no such number",
      failed: false,
      isFinal: true,
      isFailure: true,
    },
  ],
  [
    "what a report failed",
    viewOf({
      state: "failed",
      attempts: [{ ...taken, outcome: "failed" }],
      receipts: [{ ...report, event: "fail", code: "12", text: "absent" }],
    }),
    {
      sentAt: at(100),
      changedAt: at(500),
      error: "absent",
      failed: true,
      isFailure: true,
    },
  ],
  [
    "what a report ended",
    viewOf({
      state: "expired",
      attempts: [taken],
      receipts: [{ ...report, event: "expire", code: "12" }],
    }),
    { error: "12", failed: false, isFailure: true },
  ],
  [
    "what an operator cancelled",
    viewOf({
      state: "cancelled",
      actions: [
        {
          ...actor,
          at: at(700),
          action: "cancel",
          from: "waiting",
          to: "cancelled",
        },
      ],
    }),
    { changedAt: at(700), error: "Cancelled by alice", isFailure: true },
  ],
  [
    "what was changed to be about something else",
    viewOf({}, {}, { relationsChangedAt: at(800) }),
    { changedAt: at(800) },
  ],
  [
    "a text whose sender was given",
    viewOf(
      { senderData: { sender: "Other" } },
      { sms: { sender: "Shop", provider: "ats" } },
    ),
    { sender: "Shop", backend: "ats", extraSenderData: { sender: "Other" } },
  ],
  [
    "a text whose provider chose the sender",
    viewOf({ senderData: { sender: "12345" } }),
    { sender: "12345" },
  ],
  [
    "a mail",
    viewOf(
      {
        state: "sent",
        attempts: [{ at: at(50), durationMs: 5, statusCode: 250 }],
      },
      {
        content: { kind: "mail", text: "", html: "<p>hello</p>" },
        subject: "Hello",
        email: { from: "shop@example.com" },
        priority: 1,
      },
      {},
      "email",
    ),
    {
      sender: "shop@example.com",
      html: "<p>hello</p>",
      text: "",
      subject: "Hello",
      sentAt: at(50),
      priority: 1,
      pymessState: { name: "SENT", number: 3 },
    },
  ],
  [
    "a mail that was refused",
    viewOf(
      {
        state: "rejected",
        attempts: [
          { at: at(50), durationMs: 5, errorClass: "smtp", error: "550 no" },
        ],
      },
      {},
      {},
      "email",
    ),
    { sentAt: undefined, error: "550 no", failed: true, isFailure: true },
  ],
];

for (const [title, view, expected] of cases) {
  test(`shows ${title}`, () => {
    const shown = Object.keys(expected).map((name) => [
      name,
      view[name as keyof StoredMessage],
    ]);
    assert.deepEqual(Object.fromEntries(shown), expected);
  });
}

test("its id is the delivery's", () => {
  assert.equal(viewOf().id, `${"1".repeat(32)}-3`);
});
