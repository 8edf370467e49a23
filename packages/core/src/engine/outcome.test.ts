import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageId, ProjectId } from "../ids.ts";
import { unknownPollDelayMs } from "../messages/merge-outcome.ts";
import type { AttemptResult } from "../ports/channel.ts";
import { toEpochMs } from "../time.ts";
import { outcomeOfAttempt, type SendItem } from "./outcome.ts";
import { defaultRetryPolicy, smnRetryPolicy } from "./retry-policy.ts";

const item: SendItem = {
  message: {
    seq: 1,
    id: "0".repeat(32) as MessageId,
    projectId: "1".repeat(32) as ProjectId,
    audience: "topic",
    content: { kind: "text", text: "hello" },
    createdAt: toEpochMs(0),
    expiresAt: toEpochMs(3_600_000),
  },
  recipient: { target: 1, protocol: "http", endpoint: "http://example.com" },
  state: "waiting",
  attempts: 0,
};

function stateAfter(result: AttemptResult, retryPolicy = smnRetryPolicy) {
  return outcomeAfter(result, retryPolicy).state;
}

function outcomeAfter(
  result: AttemptResult,
  retryPolicy = smnRetryPolicy,
  billable = false,
) {
  const rules = {
    retryPolicy,
    random: () => 0.5,
    lives: {},
  };
  return outcomeOfAttempt(
    item,
    result,
    billable,
    { at: toEpochMs(0), durationMs: 1 },
    toEpochMs(1),
    rules,
  );
}

function answer(statusCode: number): AttemptResult {
  return {
    outcome: "deferred",
    errorClass: "http_status",
    error: `The endpoint answered ${statusCode}.`,
    statusCode,
  };
}

test("SMN's profile tries again after no 4xx", () => {
  for (const status of [408, 425, 429]) {
    assert.equal(stateAfter(answer(status)), "rejected");
    assert.equal(stateAfter(answer(status), defaultRetryPolicy), "retrying");
  }
});

test("SMN's profile tries again after 5xx and what is no answer", () => {
  assert.equal(stateAfter(answer(500)), "retrying");
  assert.equal(stateAfter(answer(503)), "retrying");
  for (const errorClass of ["timeout", "unreachable"] as const) {
    const result = { outcome: "deferred", errorClass, error: "none" } as const;
    assert.equal(stateAfter(result), "retrying");
  }
});

test("a mail server's 4xx is tried again under every profile", () => {
  const result = {
    outcome: "deferred",
    errorClass: "smtp",
    error: "Greylisted",
    statusCode: 451,
  } as const;
  assert.equal(stateAfter(result), "retrying");
  assert.equal(stateAfter(result, defaultRetryPolicy), "retrying");
});

test("a wait that outlasts the message ends it, and the record says so", () => {
  const busy = { ...answer(503), retryAfterMs: 7_200_000 } as const;
  const expired = outcomeAfter(busy);
  assert.equal(expired.state, "expired");
  assert.equal(
    expired.lastAttempt?.error,
    "The endpoint answered 503. It asked to wait 7200 s, which is after the end of the message's time to live.",
  );
  assert.equal(expired.lastAttempt?.statusCode, 503);

  const patient = { ...smnRetryPolicy, maxRetryAfterMs: 600_000 };
  const retried = outcomeAfter(busy, patient);
  assert.equal(retried.state, "retrying");
  assert.equal(retried.nextAttemptAt, 600_001);
  assert.equal(retried.lastAttempt?.error, "The endpoint answered 503.");
});

test("so does a wait of the schedule's own", () => {
  const policy = { ...smnRetryPolicy, delaysMs: [4_000_000], jitter: 0 };
  const expired = outcomeAfter(answer(500), policy);
  assert.equal(expired.state, "expired");
  assert.equal(
    expired.lastAttempt?.error,
    "The endpoint answered 500. The next attempt would come in 4000 s, which is after the end of the message's time to live.",
  );
});

test("a carrier is asked about what it gave an id, and about nothing else", () => {
  const accepted = {
    outcome: "accepted",
    provider: "acme",
    receiptExpected: true,
    pollAfterMs: 30_000,
  } as const;
  const parts = [{ externalId: "x" }];
  assert.equal(outcomeAfter({ ...accepted, parts }).pollAt, 30_001);
  for (const result of [
    accepted,
    { ...accepted, parts: [] },
    { ...accepted, parts: [{ externalId: "x", state: "delivered" as const }] },
  ]) {
    assert.equal(outcomeAfter(result).pollAt, undefined);
  }
});

test("of an unknown outcome a carrier is asked by the id that was chosen, later", () => {
  const unknown = {
    outcome: "unknown",
    errorClass: "timeout",
    error: "No answer",
    provider: "acme",
    parts: [{ externalId: "x" }],
  } as const;
  const after = (result: AttemptResult) =>
    outcomeAfter(result, smnRetryPolicy, true);
  const asked = after({ ...unknown, pollAfterMs: 30_000 });
  assert.equal(asked.state, "unknown");
  assert.equal(asked.pollAt, 1 + unknownPollDelayMs);
  assert.equal(asked.receiptExpected, true);
  assert.equal(after({ ...unknown, pollAfterMs: 900_000 }).pollAt, 900_001);
  for (const result of [
    unknown,
    { ...unknown, pollAfterMs: 30_000, parts: [] },
  ]) {
    assert.equal(after(result).pollAt, undefined);
    assert.equal(after(result).receiptExpected, undefined);
  }
});
