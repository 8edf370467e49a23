import assert from "node:assert/strict";
import { test } from "node:test";
import { deliveryLines } from "./delivery-details.ts";

const now = Date.UTC(2026, 0, 1);

test("shows each attempt and the next, and cuts nothing", () => {
  const location = `https://elsewhere.example/${"x".repeat(200)}`;
  const delivery = {
    id: "m-1",
    protocol: "https",
    endpoint: "https://a.example/hook",
    state: "retrying",
    attemptCount: 2,
    attempts: [
      {
        number: 1,
        at: "2026-01-01T00:00:00.123Z",
        durationMs: 5000,
        queuedMs: 40,
        dnsMs: 0,
        connectMs: 3,
        error: "The endpoint did not answer within 5 s.",
      },
      {
        number: 2,
        at: "2026-01-01T00:00:10.000Z",
        durationMs: 12,
        statusCode: 302,
        provider: "p",
        error: `The endpoint answered 302 with the Location ${location}.`,
      },
    ],
    nextAttemptAt: "2026-01-01T00:00:25.000Z",
    parts: [],
    receipts: [],
  };
  assert.deepEqual(deliveryLines(delivery, { colours: false, now }), [
    "retrying  https  https://a.example/hook  m-1",
    "  1  2026-01-01 00:00:00  5 s  (queued 40 ms, connect 3 ms)  The endpoint did not answer within 5 s.",
    `  2  2026-01-01 00:00:10  12 ms  302  p  The endpoint answered 302 with the Location ${location}.`,
    "  next attempt in 25 s, 2026-01-01 00:00:25",
  ]);
  const fitted = deliveryLines(delivery, { colours: false, now, width: 64 });
  assert.deepEqual(fitted.slice(1, 3), [
    "  1  2026-01-01 00:00:00  5 s  (queued 40 ms, connect 3 ms)",
    "    The endpoint did not answer within 5 s.",
  ]);
});

test("what ended without an attempt has its reason", () => {
  const error = "No mail server is set up, so that no e-mail can be sent.";
  const delivery = {
    id: "m-1",
    protocol: "email",
    endpoint: "a@b.example\u001b[31m",
    state: "failed",
    attemptCount: 0,
    attempts: [{ at: "2026-01-01T00:00:00.000Z", durationMs: 0, error }],
    parts: [],
    receipts: [],
  };
  assert.deepEqual(deliveryLines(delivery, { colours: false, now }), [
    "failed  email  a@b.example [31m  m-1",
    `  -  2026-01-01 00:00:00  0 ms  ${error}`,
  ]);
});

test("shows the carrier's words and code, and when silence ends", () => {
  const at = "2026-01-01T00:00:00.000Z";
  const receipt = { at, provider: "p", externalId: "x1" };
  const delivery = {
    id: "m-1",
    protocol: "sms",
    endpoint: "+4915112345678",
    state: "sent",
    attemptCount: 1,
    attempts: [
      { number: 1, at, durationMs: 5, provider: "p", outcome: "accepted" },
    ],
    parts: [{ attempt: 1, provider: "p", externalId: "x1", state: "sent" }],
    receipts: [
      { ...receipt, event: "accept" },
      { ...receipt, event: "fail", code: "27", text: "Absent\u001b[31m" },
    ],
    nextAttemptAt: "2026-01-01T00:05:00.000Z",
  };
  assert.deepEqual(deliveryLines(delivery, { colours: false, now }), [
    "sent  sms  +4915112345678  m-1",
    "  1  2026-01-01 00:00:00  5 ms  p",
    "  receipt  2026-01-01 00:00:00  p  accept",
    "  receipt  2026-01-01 00:00:00  p  fail  27  Absent [31m",
    "  without a receipt, next attempt in 5 min, 2026-01-01 00:05:00",
  ]);
});

test("says who did what to it by hand, and why", () => {
  const action = {
    at: "2026-01-01T00:00:01.000Z",
    action: "resend",
    from: "failed",
    to: "retrying",
    userName: "ada\u001b[31m",
  };
  const delivery = {
    id: "m-1",
    protocol: "sms",
    endpoint: "+1",
    state: "cancelled",
    attemptCount: 0,
    attempts: [],
    parts: [],
    receipts: [],
    actions: [
      action,
      {
        ...action,
        action: "cancel",
        from: "retrying",
        to: "cancelled",
        reason: "by mistake",
      },
    ],
  };
  assert.deepEqual(deliveryLines(delivery, { colours: false, now }).slice(1), [
    "  2026-01-01 00:00:01  resend by ada [31m, failed to retrying",
    "  2026-01-01 00:00:01  cancel by ada [31m, retrying to cancelled: by mistake",
  ]);
});

test("attempts, receipts and actions are one history, oldest first", () => {
  const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
  const action = { action: "resend", from: "failed", to: "retrying" };
  const delivery = {
    id: "m-1",
    protocol: "sms",
    endpoint: "+1",
    state: "failed",
    attemptCount: 2,
    attempts: [
      { number: 1, at: at(1), provider: "p" },
      { number: 2, at: at(3), provider: "q" },
    ],
    parts: [],
    receipts: [
      { at: at(2), event: "fail" },
      { at: at(4), event: "fail" },
    ],
    actions: [{ ...action, at: at(3), userName: "ada" }],
  };
  assert.deepEqual(deliveryLines(delivery, { colours: false, now }).slice(1), [
    "  1  2026-01-01 00:00:01  p",
    "  receipt  2026-01-01 00:00:02  fail",
    "  2026-01-01 00:00:03  resend by ada, failed to retrying",
    "  2  2026-01-01 00:00:03  q",
    "  receipt  2026-01-01 00:00:04  fail",
  ]);
});
