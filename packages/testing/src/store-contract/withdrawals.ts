import assert from "node:assert/strict";
import type { NewMessage, Store, Topic } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { addTopic, after, countsOf, projectId, start } from "./fixtures.ts";
import {
  cancelWithdrawn,
  lease,
  newMailbox,
  type PullSubscription,
  publishTo,
  seqsOf,
  subscribeMailbox,
} from "./mailbox-fixtures.ts";

/** What a deletion leaves in mailboxes, and how it is cancelled in steps. */
export function testWithdrawals({ test }: Cases): void {
  test("empties a mailbox that was deleted in bounded steps", async (store) => {
    const topic = await addTopic(store);
    const all = await subscribeOften(store, topic, "till", 100);
    const [{ mailbox } = { mailbox: 0 }] = all;
    const messages: NewMessage[] = [];
    for (let n = 0; n < 100; n++) {
      messages.push((await publishTo(store, topic, all)).message);
    }
    const [held] = await lease(store, mailbox, { limit: 1 });
    assert.ok(held);

    assert.equal(await store.deleteMailbox(projectId, "till", start), true);
    assert.deepEqual(await lease(store, mailbox), []);
    const anew = await store.addMailbox(newMailbox({ name: "till" }));
    assert.equal(anew?.depth, 0);

    let left = await countOpen(store, messages);
    assert.ok(left > 0);
    for (let mayBeMore = true; mayBeMore; ) {
      mayBeMore = await store.cancelWithdrawn(after(1), 500);
      const now = await countOpen(store, messages);
      assert.ok(left - now <= 500, `${left - now} were cancelled at once`);
      assert.ok(now < left || !mayBeMore, "a step came no further");
      left = now;
    }
    for (const message of messages) {
      assert.deepEqual(await countsOf(store, message), { cancelled: 100 });
    }
    assert.deepEqual(await store.ackLeases(mailbox, [held], after(2)), [false]);
    assert.equal(await store.cancelWithdrawn(after(2), 500), false);
    assert.equal((await store.findMailbox(projectId, "till"))?.depth, 0);
  });

  test("cancels what one of a mailbox's subscriptions is for, and leaves the rest", async (store) => {
    const topics = [await addTopic(store), await addTopic(store)] as const;
    const [gone, kept] = [
      await subscribeMailbox(store, topics[0], { name: "till" }),
      await subscribeMailbox(store, topics[1], { name: "till" }),
    ];
    const publish = async (n: 0 | 1, orderingKey?: string) => {
      const options = orderingKey === undefined ? {} : { orderingKey };
      const to = [n === 0 ? gone : kept];
      return await publishTo(store, topics[n], to, options);
    };
    const first = await publish(0);
    const withdrawn = [await publish(0), await publish(0, "k")];
    const remaining = [await publish(1, "k"), await publish(1)];
    withdrawn.push(await publish(0, "k"), await publish(0));
    const { mailbox } = kept;
    const [held] = await lease(store, mailbox, { limit: 1 });
    assert.equal(held?.messageSeq, first.seq);

    await store.deleteSubscription(projectId, topics[0].name, gone.id, start);
    let steps = 0;
    while (await store.cancelWithdrawn(after(1), 2)) steps++;
    assert.ok(steps > 1);
    for (const { message } of withdrawn) {
      assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
    }
    assert.equal((await store.findMailbox(projectId, "till"))?.depth, 3);
    assert.deepEqual(
      seqsOf(await lease(store, mailbox)),
      remaining.map(({ seq }) => seq),
    );
    assert.deepEqual(await store.ackLeases(mailbox, [held], after(1)), [true]);
  });

  test("hands nothing out that is yet to be cancelled", async (store) => {
    const topic = await addTopic(store);
    const other = await addTopic(store);
    const all = await subscribeOften(store, topic, "till", 300);
    const kept = await subscribeMailbox(store, other, { name: "till" });
    for (let n = 0; n < 3; n++) await publishTo(store, topic, all);
    const { seq } = await publishTo(store, other, [kept]);
    const told: number[] = [];
    const stop = store.watchMailboxes((mailboxes) => told.push(...mailboxes));
    await store.deleteTopic(projectId, topic.name, start);
    let leases = await lease(store, kept.mailbox);
    // Who is told to look again finds it in the end.
    while (leases.length === 0) {
      assert.ok(told.splice(0).includes(kept.mailbox));
      leases = await lease(store, kept.mailbox);
    }
    stop();
    assert.deepEqual(seqsOf(leases), [seq]);
    await cancelWithdrawn(store);
    assert.equal((await store.findMailbox(projectId, "till"))?.depth, 1);
  });
}

/** So many subscriptions of one topic that fill one mailbox. */
async function subscribeOften(
  store: Store,
  topic: Topic,
  name: string,
  count: number,
): Promise<readonly PullSubscription[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, n) =>
      subscribeMailbox(
        store,
        topic,
        { name, quota: 100_000 },
        { endpoint: `${name}-${n}` },
      ),
    ),
  );
}

async function countOpen(
  store: Store,
  messages: readonly NewMessage[],
): Promise<number> {
  const counts = await Promise.all(messages.map((it) => countsOf(store, it)));
  return counts.reduce(
    (sum, it) => sum + (it?.waiting ?? 0) + (it?.sending ?? 0),
    0,
  );
}
