/** What waits for a reason that ends by itself: it is due when that ends. */

import assert from "node:assert/strict";
import type { FencedOutcome, Store } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  after,
  claimDue,
  directMessage,
  leaseOf,
  nextDueAt,
  phones,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

const dueAt = after(60_000);

async function findDeliveries(store: Store, messageSeq: number) {
  return store.listDeliveries(messageSeq, { limit: 9 });
}

export function testWaits({ test }: Cases): void {
  /** Three texts, of which the first two are paused. */
  async function setUp(
    store: Store,
    clock: Parameters<typeof claimDue>[1],
  ): Promise<number> {
    const message = directMessage({ projectId });
    const { seq } = await store.acceptDirectMessage(message, phones(3, true));
    const claims = await claimDue(store, clock, leaseOf("a"), start, 9);
    await recordOutcomes(
      store,
      claims.map(
        ({ messageSeq, recipient: { target }, fence }): FencedOutcome => ({
          messageSeq,
          target,
          state: "waiting",
          attempts: 0,
          nextAttemptAt: dueAt,
          ...(target < 2 && { waitReason: "paused" as const }),
          fence,
        }),
      ),
    );
    return seq;
  }

  test("says why a delivery waits", async (store, clock) => {
    const seq = await setUp(store, clock);
    const reasons = (await findDeliveries(store, seq)).map(
      ({ waitReason }) => waitReason,
    );
    assert.deepEqual(reasons, ["paused", "paused", undefined]);
  });

  test("makes due what waits for the reason, as many as asked, and no other", async (store, clock) => {
    const seq = await setUp(store, clock);
    assert.equal((await store.makeDue("paused", 1)).length, 1);
    assert.equal(await nextDueAt(store, clock), start);
    assert.deepEqual(await store.makeDue("paused", 9), [
      { messageSeq: seq, target: 1, attempts: 0 },
    ]);
    assert.deepEqual(await store.makeDue("paused", 9), []);
    const stranger = { messageSeq: seq + 1, target: 0, attempts: 0 };
    const [first] = await store.readReleased([
      { messageSeq: seq, target: 0, attempts: 0 },
      stranger,
    ]);
    assert.deepEqual(
      [first?.state, first?.attempts, first?.messageId.length],
      ["waiting", 0, 32],
    );
    const due = await claimDue(store, clock, leaseOf("a"), start, 9);
    assert.deepEqual(
      due.map(({ recipient }) => recipient.target).sort(),
      [0, 1],
    );
    const found = await findDeliveries(store, seq);
    assert.deepEqual(
      found.map(({ state, waitReason }) => [state, waitReason]),
      [
        ["sending", undefined],
        ["sending", undefined],
        ["waiting", undefined],
      ],
    );
  });

  test("forgets the reason with a claim, and with the end of the delivery", async (store, clock) => {
    const seq = await setUp(store, clock);
    const [first, second] = await claimDue(
      store,
      clock,
      leaseOf("a"),
      dueAt,
      9,
    );
    assert.ok(first && second);
    assert.deepEqual(await store.makeDue("paused", 9), []);
    await store.release([{ delivery: first }], { delayMs: 1000 });
    const { messageSeq, recipient, fence } = second;
    await recordOutcomes(store, [
      {
        messageSeq,
        target: recipient.target,
        state: "failed",
        attempts: 0,
        waitReason: "paused",
        fence,
      },
    ]);
    assert.deepEqual(await store.makeDue("paused", 9), []);
    for (const { waitReason } of await findDeliveries(store, seq)) {
      assert.equal(waitReason, undefined);
    }
  });
}
