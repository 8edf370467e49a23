/** Texts whose carriers owe a report: who is idle, and what is asked about now. */

import assert from "node:assert/strict";
import type { DeliveryOutcome, IdleRule, Store } from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import {
  after,
  claimDue,
  countsOf,
  directMessage,
  leaseOf,
  phones,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

const attempt = { at: start, durationMs: 10, outcome: "accepted" } as const;

/** Texts that a carrier has, idle since `idleFrom` of each. */
async function send(
  store: Store,
  clock: ManualClock,
  idleFrom: readonly number[],
  {
    billable = true,
    ...outcome
  }: Partial<DeliveryOutcome> & {
    readonly billable?: boolean;
  } = {},
) {
  const message = directMessage({ projectId });
  const { seq } = await store.acceptDirectMessage(
    message,
    phones(idleFrom.length, billable),
  );
  const claims = await claimDue(store, clock, leaseOf("a"), start, 99);
  await recordOutcomes(
    store,
    claims.map(({ messageSeq, recipient: { target }, fence }) => ({
      messageSeq,
      target,
      state: "sent",
      attempts: 1,
      lastAttempt: { ...attempt, provider: "a" },
      provider: "a",
      parts: [{ externalId: `${messageSeq}-${target}` }],
      receiptExpected: true,
      idleFrom: after(idleFrom[target] ?? 0),
      fence,
      ...outcome,
    })),
  );
  return { message, seq };
}

const rule: IdleRule = {
  billable: true,
  idleSince: after(1000),
  timeoutMinutes: 10,
  becomes: "failed",
};

export function testDeliveryChecks({ test }: Cases): void {
  test("fails what is idle, those longest first, and counts no attempt", async (store, clock) => {
    const { message, seq } = await send(store, clock, [900, 1000, 800, 1001]);
    assert.deepEqual(await store.endIdle(rule, 2), {
      idle: 2,
      mayHaveMore: true,
    });
    const states = (await store.listDeliveries(seq, { limit: 9 })).map(
      ({ state }) => state,
    );
    assert.deepEqual(states, ["failed", "sent", "failed", "sent"]);
    assert.deepEqual(await store.endIdle(rule, 2), {
      idle: 1,
      mayHaveMore: false,
    });
    assert.deepEqual(await countsOf(store, message), { failed: 3, sent: 1 });
    const found = await store.findDelivery(seq, 0);
    assert.ok(found);
    assert.equal(found.attemptCount, 1);
    assert.equal(found.receiptExpected, undefined);
    assert.equal(found.pollAt, undefined);
    const [last] = found.attempts;
    assert.match(last?.error ?? "", /^timeouted: .* within 10 minutes\.$/);
    assert.deepEqual(
      [last?.errorClass, last?.outcome, last?.at],
      ["timeout", "failed", start],
    );
  });

  test("finds each once where idle texts do not fail", async (store, clock) => {
    const { message } = await send(store, clock, [0, 0]);
    const lenient = { ...rule, becomes: "unchanged" } as const;
    assert.equal((await store.endIdle(lenient, 9)).idle, 2);
    assert.equal((await store.endIdle(lenient, 9)).idle, 0);
    assert.deepEqual(await countsOf(store, message), { sent: 2 });
  });

  test("makes mails final, and leaves texts to a rule of their own", async (store, clock) => {
    const mails = await send(store, clock, [0, 1001], { billable: false });
    const texts = await send(store, clock, [0]);
    const ofMails = { ...rule, billable: false, becomes: "final" } as const;
    assert.equal((await store.endIdle(ofMails, 9)).idle, 1);
    assert.equal((await store.endIdle(ofMails, 9)).idle, 0);
    const isOwed = async ({ seq }: { seq: number }, target: number) => {
      const found = await store.findDelivery(seq, target);
      assert.equal(found?.state, "sent");
      return found.receiptExpected === true;
    };
    assert.equal(await isOwed(mails, 0), false);
    assert.equal(await isOwed(mails, 1), true);
    assert.equal(await isOwed(texts, 0), true);
    assert.equal((await store.endIdle(rule, 9)).idle, 1);
    assert.deepEqual(await countsOf(store, mails.message), { sent: 2 });
    assert.deepEqual(await countsOf(store, texts.message), { failed: 1 });
    const receipt = { entry: "a", at: after(2000), event: "reject" } as const;
    await store.recordReceipt({ ...receipt, externalId: `${mails.seq}-0` });
    const counts = await countsOf(store, mails.message);
    assert.deepEqual(counts, { sent: 1, rejected: 1 });
  });

  test("leaves alone what has its report, and what waits for none", async (store, clock) => {
    const reported = await send(store, clock, [0]);
    const receipt = { entry: "a", at: start, event: "deliver" } as const;
    await store.recordReceipt({ ...receipt, externalId: `${reported.seq}-0` });
    const unknown = await send(store, clock, [0], { state: "unknown" });
    assert.equal((await store.endIdle(rule, 9)).idle, 0);
    assert.deepEqual(await countsOf(store, reported.message), { delivered: 1 });
    assert.deepEqual(await countsOf(store, unknown.message), { unknown: 1 });
  });

  test("keeps a report that comes after that, which changes nothing", async (store, clock) => {
    const { message, seq } = await send(store, clock, [0]);
    await store.endIdle(rule, 9);
    const receipt = { entry: "a", at: after(2000), event: "deliver" } as const;
    await store.recordReceipt({ ...receipt, externalId: `${seq}-0` });
    assert.deepEqual(await countsOf(store, message), { failed: 1 });
    const { receipts } = (await store.findDelivery(seq, 0)) ?? {};
    assert.equal(receipts?.length, 1);
  });

  test("brings questions forward, of one provider and as many as asked", async (store, clock) => {
    await send(store, clock, [0, 0, 0], { pollAt: after(60_000) });
    await send(store, clock, [0], { pollAt: after(60_000), provider: "b" });
    assert.equal(await store.bringPollsForward("a", 2), 2);
    const due = (await store.listDuePolls()).map(({ entry, dueInMs }) => [
      entry,
      dueInMs <= 0,
    ]);
    assert.deepEqual(due.sort(), [
      ["a", true],
      ["b", false],
    ]);
    assert.equal((await store.claimPolls("a", 1000, 9)).polls.length, 2);
    // Two are asked about; the third is the only one whose question is later.
    assert.equal(await store.bringPollsForward("c", 9), 0);
  });
}
