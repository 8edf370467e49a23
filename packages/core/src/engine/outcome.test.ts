import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageId, ProjectId } from "../ids.ts";
import { unknownPollDelayMs } from "../messages/merge-outcome.ts";
import type { MessageRetries } from "../messages/message.ts";
import type { AttemptResult } from "../ports/channel.ts";
import { batchRetriesOf } from "../stored/batch-mode.ts";
import { addMs, toEpochMs } from "../time.ts";
import {
  exhaustedOutcome,
  type OutcomeRules,
  outcomeOfAttempt,
  outcomeOfUnreadable,
  type SendItem,
} from "./outcome.ts";
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

/** A message with rules of its own, in the profile of pymess. */
function pymessOf(
  protocol: "sms" | "email",
  retries: MessageRetries,
  attempts = 0,
): { readonly item: SendItem; readonly rules: OutcomeRules } {
  const mode = {
    enabled: retries === "batch",
    size: 20,
    intervalSeconds: 0,
    maxRetries: 3,
    maxAgeSeconds: 3600,
    retry: true,
    retriedErrors: [],
  };
  return {
    item: {
      ...item,
      message: { ...item.message, audience: "direct", retries },
      recipient: { target: 0, protocol, endpoint: "x" },
      attempts,
    },
    rules: {
      retryPolicy: defaultRetryPolicy,
      random: () => 0,
      lives: {},
      batchRetriesOf: () => batchRetriesOf(protocol, mode, "pymess"),
    },
  };
}

function attemptOf(
  { item, rules }: ReturnType<typeof pymessOf>,
  result: AttemptResult,
) {
  const timing = { at: toEpochMs(0), durationMs: 1 };
  const isBillable = item.recipient.protocol === "sms";
  const now = toEpochMs(1);
  return outcomeOfAttempt(item, result, isBillable, timing, now, rules);
}

const conditions = [
  { errorClass: "interrupted", error: "The service was shutting down." },
  { errorClass: "internal", error: "The suppression list could not be read." },
] as const;

for (const retries of ["none", "batch"] as const) {
  for (const { errorClass, error } of conditions) {
    // Also behind the last attempt of its own, and of the schedule.
    for (const attempts of [0, 3, 20]) {
      test(`what is ${errorClass} uses up no attempt of ${retries} behind ${attempts}`, () => {
        const message = pymessOf("email", retries, attempts);
        const { state, waitReason, nextAttemptAt, lastAttempt } = attemptOf(
          message,
          { outcome: "deferred", errorClass, error },
        );
        if (attempts === 20) {
          // A day later, which is behind this one's life.
          assert.equal(state, "expired");
          return;
        }
        assert.deepEqual([state, waitReason], ["retrying", undefined]);
        const waitMs = defaultRetryPolicy.delaysMs[attempts] ?? 0;
        assert.equal(nextAttemptAt, addMs(toEpochMs(1), waitMs));
        const next = { ...message.item, state, attempts: attempts + 1 };
        assert.equal(
          exhaustedOutcome(next, message.rules, lastAttempt),
          undefined,
        );
      });
    }
  }

  test(`a message that is sealed waits for its key with retries ${retries}`, () => {
    const { item: sealed, rules } = pymessOf("email", retries, 3);
    const outcome = outcomeOfUnreadable(sealed, toEpochMs(1), rules);
    assert.equal(outcome.state, "retrying");
  });
}

const refusals = [
  // A text of ATS or SMS Operator, refused by a code of its own.
  ["rejected", "message", "rejected"],
  ["deferred", "message", "rejected"],
  // A request of theirs.
  ["rejected", "request", "failed"],
  ["deferred", "request", "failed"],
] as const;

for (const [outcome, refused, state] of refusals) {
  for (const retries of ["batch", "none"] as const) {
    test(`pymess repeats no ${refused} that was refused (${outcome}, ${retries})`, () => {
      const { state: found, nextAttemptAt } = attemptOf(
        pymessOf("sms", retries),
        { outcome, refused, errorClass: "provider", error: "No." },
      );
      assert.deepEqual([found, nextAttemptAt], [state, undefined]);
    });
  }
}

const silences = [
  // None is waited for.
  [undefined, undefined, 1000],
  // Another provider first; without one the timeout counts from there.
  [60_000, 61_001, 61_001],
  // There would be no time for another one.
  [3_600_000, undefined, 1000],
] as const;

for (const [silenceMs, nextAttemptAt, idleFrom] of silences) {
  test(`a text is idle at last also where silence of ${silenceMs} ms is waited for`, () => {
    const route = {
      provider: "a",
      round: 1,
      passedOver: false,
      hasNext: true,
      nextOnFailedReceipt: false,
      release() {},
      ...(silenceMs !== undefined && { silenceMs }),
    };
    const { item: direct, rules } = pymessOf("sms", "none");
    const outcome = outcomeOfAttempt(
      { ...direct, route },
      {
        outcome: "accepted",
        receiptExpected: true,
        parts: [{ externalId: "1" }],
      },
      true,
      { at: toEpochMs(1000), durationMs: 1 },
      toEpochMs(1001),
      { ...rules, idleFrom: ({ sentAt }) => sentAt },
    );
    assert.deepEqual(
      [outcome.nextAttemptAt, outcome.idleFrom],
      [nextAttemptAt, idleFrom],
    );
  });
}

test("whether a message can be idle goes by its protocol", () => {
  const asked: string[] = [];
  for (const protocol of ["sms", "email"] as const) {
    const { item: direct, rules } = pymessOf(protocol, "none");
    outcomeOfAttempt(
      direct,
      { outcome: "accepted", receiptExpected: true },
      false,
      { at: toEpochMs(1000), durationMs: 1 },
      toEpochMs(1001),
      {
        ...rules,
        idleFrom: ({ protocol: name }) => {
          asked.push(name);
          return undefined;
        },
      },
    );
  }
  assert.deepEqual(asked, ["sms", "email"]);
});
