import assert from "node:assert/strict";
import type {
  NewMessage,
  RangeOutcome,
  Receipt,
  RefusedOutcome,
  Store,
} from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  after,
  claimDue,
  claimOne,
  completeRange,
  countsOf,
  delivered,
  directMessage,
  everything,
  leaseOf,
  messageTo,
  newSubscription,
  newTemplate,
  newTopic,
  nextDueAt,
  noQuota,
  phones,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

const attempt = { at: start, durationMs: 12 };

/** What a channel, or a mistake of ours, may make of an outcome. */
const outOfType: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "a fraction for the next attempt": {
    state: "retrying",
    nextAttemptAt: start + 0.5,
  },
  "a next attempt that is no number": {
    state: "retrying",
    nextAttemptAt: Number.NaN,
  },
  "a fraction of an attempt": { attempts: 1.5 },
  "a duration of a fraction": { lastAttempt: { ...attempt, durationMs: 0.25 } },
  "a time that is no number": { lastAttempt: { ...attempt, at: Number.NaN } },
  "a status code that is no number": {
    lastAttempt: { ...attempt, statusCode: Number.NaN },
  },
  "a text for a status code": {
    lastAttempt: { ...attempt, statusCode: "200 OK" },
  },
  "a number for an error": { lastAttempt: { ...attempt, error: 503 } },
  "an object for an error": { lastAttempt: { ...attempt, error: {} } },
  "a function for a provider": { provider: () => "loopback" },
  "a number for an external id": {
    parts: [{ externalId: 4711 }],
    provider: "loopback",
  },
  "more segments than can be counted": { segments: 2 ** 60 },
  "a state that there is not": { state: "perhaps" },
};

export function testRefusals({ test }: Cases): void {
  for (const [title, values] of Object.entries(outOfType)) {
    test(`a claim's outcome with ${title} costs its own delivery`, async (store, clock) => {
      const { message, messageSeq, refused } = await recordOneOf(
        3,
        store,
        clock,
        {
          ...values,
        },
      );
      assertRefused(refused, messageSeq, 1);
      assert.deepEqual(await countsOf(store, message), {
        delivered: 2,
        failed: 1,
      });
      await assertFailed(store, messageSeq, 1);
      await assertNothingLeft(store);
    });

    test(`a range's outcome with ${title} costs its own delivery`, async (store) => {
      const { message, messageSeq, target, refused } = await completeOneOf(
        3,
        store,
        values,
      );
      assertRefused(refused, messageSeq, target);
      assert.deepEqual(await countsOf(store, message), {
        delivered: 2,
        failed: 1,
      });
      await assertFailed(store, messageSeq, target);
      await assertNothingLeft(store);
    });
  }

  test("one bad outcome among 500 claims costs one", async (store, clock) => {
    const bad = { attempts: 1.5 };
    const { message, refused } = await recordOneOf(500, store, clock, bad);
    assert.equal(refused.length, 1);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 499,
      failed: 1,
    });
  });

  test("one bad outcome among 500 of a range costs one", async (store) => {
    const bad = { attempts: 1.5 };
    const { message, refused } = await completeOneOf(500, store, bad);
    assert.equal(refused.length, 1);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 499,
      failed: 1,
    });
  });

  test("an attempt before the last that cannot be kept costs its own delivery", async (store, clock) => {
    const { message, messageSeq, refused } = await recordOneOf(
      3,
      store,
      clock,
      {
        previousAttempt: { at: start, durationMs: 0.5 },
      },
    );
    assertRefused(refused, messageSeq, 1);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 2,
      failed: 1,
    });
    const delivery = await assertFailed(store, messageSeq, 1);
    assert.equal(delivery.attempts.length, 1);
  });

  test("says nothing of a bad outcome whose claim was lost", async (store, clock) => {
    const { message, claim } = await claimOne(store, clock);
    await store.reclaimAll();
    const { messageSeq, fence } = claim;
    const bad = spoiled(delivered(messageSeq, 0), { segments: 0.5 });
    assert.deepEqual(await recordOutcomes(store, [{ ...bad, fence }]), []);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
  });

  test("has no statistics of what was refused but its failure", async (store) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const { seq, range } = await store.acceptMessage(
      messageTo(topic),
      leaseOf("a"),
    );
    assert.ok(range);
    const bad = spoiled(delivered(seq, target), { segments: 0.5 });
    await completeRange(store, range, [bad]);
    const counts = await store.readStatistics(topic.seq, start, after(1e12));
    assert.deepEqual(
      counts.map(({ state, count }) => [state, count]),
      [["failed", 1]],
    );
  });

  const refusedMessages: Readonly<Record<string, Record<string, unknown>>> = {
    "a fraction for its time": { createdAt: start + 0.5 },
    "an end that is no number": { expiresAt: Number.NaN },
    "no id": { id: undefined },
    "a function for a subject": { subject: () => "Hello" },
    "an audience that there is not": { audience: "everybody" },
  };
  for (const [title, values] of Object.entries(refusedMessages)) {
    test(`refuses a message with ${title}, and nothing beside it`, async (store, clock) => {
      const topic = await addTopic(store);
      await addSubscription(store, topic);
      const bad = spoiled(messageTo(topic), values);
      const good = messageTo(topic);
      const [first, second, third] = await Promise.allSettled([
        store.acceptMessage(bad, undefined),
        store.acceptMessage(good, undefined),
        store.acceptDirectMessage(spoiled(directMessage(), values), phones(2)),
      ]);
      assert.equal(codeOf(first), "STORAGE_REFUSED");
      assert.equal(codeOf(second), undefined);
      assert.equal(codeOf(third), "STORAGE_REFUSED");
      const { messages } = await store.listMessages(
        projectId,
        {},
        { limit: 9 },
      );
      assert.deepEqual(
        messages.map(({ message }) => message.id),
        [good.id],
      );
      assert.equal(await nextDueAt(store, clock), undefined);
    });
  }

  test("refuses recipients out of type, and their message with them", async (store) => {
    const [phone] = phones(1);
    assert.ok(phone);
    const endpoint = null as unknown as string;
    await assert.rejects(
      store.acceptDirectMessage(directMessage(), [
        phone,
        { ...phone, endpoint },
      ]),
      { code: "STORAGE_REFUSED" },
    );
    assert.deepEqual(await store.listMessages(projectId, {}, { limit: 9 }), {
      messages: [],
    });
  });

  test("refuses fractions and gaps in all that is managed", async (store) => {
    const topic = await addTopic(store);
    const fraction = { createdAt: start + 0.5 };
    const gap = { projectId: undefined };
    const receipt: Receipt = {
      entry: "loopback",
      externalId: "x1",
      event: "deliver",
      at: start,
    };
    const refused = { code: "STORAGE_REFUSED" };
    for (const bad of [fraction, gap]) {
      await assert.rejects(
        store.createTopic(spoiled(newTopic(), bad), noQuota),
        refused,
      );
      await assert.rejects(
        store.createTemplate(spoiled(newTemplate(), bad), noQuota),
        refused,
      );
    }
    await assert.rejects(
      store.addSubscription(
        spoiled(newSubscription(topic), fraction),
        undefined,
        noQuota,
      ),
      refused,
    );
    await assert.rejects(
      store.recordReceipt(spoiled(receipt, { at: start + 0.5 })),
      refused,
    );
    const { total } = await store.listTopics(projectId, {}, everything);
    assert.equal(total, 1);
    const list = await store.listSubscriptions(projectId, {}, everything);
    assert.equal(list.total, 0);
  });

  test("refuses a lease that is no duration, and claims nothing", async (store, clock) => {
    const message = directMessage();
    await store.acceptDirectMessage(message, phones(1));
    await assert.rejects(
      claimDue(store, clock, leaseOf("a", Number.NaN), start, 1),
      {
        code: "STORAGE_REFUSED",
      },
    );
    assert.deepEqual(await countsOf(store, message), { waiting: 1 });
  });
}

/** Claims so many deliveries and records them, the second spoiled. */
async function recordOneOf(
  count: number,
  store: Store,
  clock: ManualClock,
  values: Record<string, unknown>,
) {
  const message = directMessage();
  const { seq } = await store.acceptDirectMessage(message, phones(count));
  const claims = await claimDue(store, clock, leaseOf("a"), start, count);
  const refused = await recordOutcomes(
    store,
    claims.map(({ recipient: { target }, fence }) => {
      const outcome = { ...delivered(seq, target), fence };
      return target === 1 ? spoiled(outcome, values) : outcome;
    }),
  );
  return { message, messageSeq: seq, refused };
}

/** Fans a message out to so many, the outcome of the second spoiled. */
async function completeOneOf(
  count: number,
  store: Store,
  values: Record<string, unknown>,
) {
  const topic = await addTopic(store);
  await Promise.all(
    Array.from({ length: count }, () => addSubscription(store, topic)),
  );
  const message: NewMessage = messageTo(topic);
  const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
  assert.ok(range);
  const audience = await store.readAudience(range, count);
  const target = audience[1]?.target ?? 0;
  const { kept, refused } = await completeRange(
    store,
    range,
    audience.map((recipient) => {
      const outcome: RangeOutcome = delivered(seq, recipient.target);
      return recipient.target === target ? spoiled(outcome, values) : outcome;
    }),
  );
  assert.equal(kept, true);
  return { message, messageSeq: seq, target, refused };
}

function assertRefused(
  refused: readonly RefusedOutcome[],
  messageSeq: number,
  target: number,
): void {
  assert.deepEqual(
    refused.map((it) => [it.messageSeq, it.target]),
    [[messageSeq, target]],
  );
  assert.notEqual(refused[0]?.reason ?? "", "");
}

async function assertFailed(store: Store, messageSeq: number, target: number) {
  const delivery = await store.findDelivery(messageSeq, target);
  assert.equal(delivery?.state, "failed");
  const last = delivery.attempts.at(-1);
  assert.equal(last?.errorClass, "internal");
  assert.match(last?.error ?? "", /could not be kept: ./);
  return delivery;
}

async function assertNothingLeft(store: Store): Promise<void> {
  assert.deepEqual(await store.nextDue(), {});
  assert.deepEqual(await store.reclaimAll(), {
    freed: 0,
    interrupted: 0,
  });
}

/** The value with members that its type forbids. */
function spoiled<Value extends object>(
  value: Value,
  members: Readonly<Record<string, unknown>>,
): Value {
  return { ...value, ...members };
}

function codeOf(result: PromiseSettledResult<unknown>): unknown {
  return result.status === "rejected" ? result.reason.code : undefined;
}
