/** Fan-out of messages with an ordering key: one after the other. */

import assert from "node:assert/strict";
import type { NewMessage, Store, Topic } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscriptions,
  addTopic,
  after,
  claimRanges,
  completeRange,
  hasRanges,
  leaseOf,
  messageTo,
  otherProjectId,
} from "./fixtures.ts";
import { cancelMessage } from "./message-cancellation.ts";

const forTwo = { ...leaseOf("a"), rangeSize: 2 };

async function accept(
  store: Store,
  topic: Topic,
  message: Partial<NewMessage> = {},
) {
  const kept = messageTo(topic, { orderingKey: "k", ...message });
  return await store.acceptMessage(
    kept,
    kept.notBefore === undefined ? forTwo : undefined,
  );
}

async function claimed(store: Store, owner = "b") {
  const ranges = await claimRanges(store, leaseOf(owner), 10);
  return ranges.map(({ range }) => range);
}

export function testOrderedFanOut({ test }: Cases): void {
  test("claims no range of a message while an earlier one of its ordering key has any", async (store) => {
    const topic = await addTopic(store);
    await addSubscriptions(store, topic, 3);
    const first = await accept(store, topic);
    const second = await accept(store, topic);
    const third = await accept(store, topic);
    assert.ok(first.range);
    assert.deepEqual(second, {
      seq: second.seq,
      range: undefined,
      unclaimed: 0,
    });
    const [rest, ...others] = await claimed(store);
    assert.equal(rest?.messageSeq, first.seq);
    assert.deepEqual(others, []);
    assert.equal(await hasRanges(store), false);
    assert.deepEqual(await store.finish({ range: rest, outcomes: [] }), {
      kept: true,
      refused: [],
    });
    assert.deepEqual(await claimed(store), []);
    const report = await store.finish({ range: first.range, outcomes: [] });
    assert.equal(report.unclaimed, 3);
    assert.equal(await hasRanges(store), true);
    const [next, ...later] = await claimed(store);
    assert.equal(next?.messageSeq, second.seq);
    assert.deepEqual(later, []);
    await completeRange(store, next, []);
    assert.deepEqual(
      (await claimed(store)).map(({ messageSeq }) => messageSeq),
      [third.seq],
    );
  });

  test("what is given back, or lost with its engine, still comes before later ones of its key", async (store, clock) => {
    const topic = await addTopic(store);
    await addSubscriptions(store, topic, 1);
    const first = await accept(store, topic);
    const second = await accept(store, topic);
    assert.ok(first.range);
    await store.release([{ range: first.range }]);
    const [again, ...others] = await claimed(store);
    assert.equal(again?.messageSeq, first.seq);
    assert.deepEqual(others, []);
    clock.advance(3_600_000);
    await store.reclaim();
    const [lost, ...later] = await claimed(store);
    assert.equal(lost?.messageSeq, first.seq);
    assert.deepEqual(later, []);
    assert.equal(
      (await store.finish({ range: lost, outcomes: [] })).unclaimed,
      1,
    );
    assert.equal((await claimed(store))[0]?.messageSeq, second.seq);
  });

  test("a message that may not go out yet holds up none of its ordering key", async (store, clock) => {
    const topic = await addTopic(store);
    await addSubscriptions(store, topic, 1);
    const delayed = await accept(store, topic, { notBefore: after(1000) });
    const { range } = await accept(store, topic);
    assert.ok(range);
    clock.advance(1000);
    const later = await accept(store, topic);
    assert.equal(later.range, undefined);
    const [due, ...others] = await claimed(store);
    assert.equal(due?.messageSeq, delayed.seq);
    assert.deepEqual(others, []);
    await completeRange(store, range, []);
    assert.deepEqual(await claimed(store), []);
    await completeRange(store, due, []);
    assert.equal((await claimed(store))[0]?.messageSeq, later.seq);
  });

  test("ordering keys are a project's own", async (store) => {
    const topic = await addTopic(store);
    const other = await addTopic(store, { projectId: otherProjectId });
    for (const it of [topic, other]) await addSubscriptions(store, it, 1);
    assert.ok((await accept(store, topic)).range);
    assert.ok((await accept(store, topic, { orderingKey: "other" })).range);
    const { projectId } = other;
    assert.ok((await accept(store, other, { projectId })).range);
  });

  test("once a message is cancelled the next one of its ordering key goes out", async (store, clock) => {
    const topic = await addTopic(store);
    await addSubscriptions(store, topic, 1);
    const first = await accept(store, topic);
    const second = await accept(store, topic);
    assert.ok(first.range);
    await store.release([{ range: first.range }]);
    await cancelMessage(store, first.seq);
    clock.advance(500);
    assert.equal((await claimed(store))[0]?.messageSeq, second.seq);
  });
}
