import assert from "node:assert/strict";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  claimDue,
  completeRange,
  delivered,
  directMessage,
  leaseOf,
  messageTo,
  phones,
  projectId,
  start,
} from "./fixtures.ts";

export function testLifetime({ test }: Cases): void {
  test("shows a write to every read that starts after it", async (store) => {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const message = directMessage();
        await store.acceptDirectMessage(message, phones(1));
        const found = await store.findMessage(projectId, message.id);
        assert.equal(found?.message.id, message.id);
      }),
    );
  });

  test("shows fan-out and claims to every read that starts after them", async (store) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const message = messageTo(topic);
        const lease = leaseOf("a");
        const { seq, range } = await store.acceptMessage(message, lease);
        assert.ok(range);
        const audience = await store.readAudience(range, 9);
        assert.equal(audience.length, 1);
        await completeRange(store, range, [delivered(seq, target)]);
        const report = await store.findMessage(projectId, message.id);
        assert.equal(report?.fannedOut, true);
        assert.deepEqual(report?.counts, { delivered: 1 });
        const delivery = await store.findDelivery(seq, target);
        assert.equal(delivery?.state, "delivered");
      }),
    );
  });

  test("keeps texts as they are, whatever characters they have", async (store) => {
    const text = "\u0000a\u0000, \u{1f514}, \r\n\t'\"%_\\ \u2028\ufeff";
    const content = { kind: "text", text } as const;
    const message = directMessage({ subject: text, content });
    await store.acceptDirectMessage(message, phones(1));
    const found = await store.findMessage(projectId, message.id);
    assert.equal(found?.message.subject, text);
    assert.deepEqual(found?.message.content, content);
    await store.putSetting("text", text, 0);
    assert.equal((await store.findSetting("text"))?.value, text);
  });

  test("shares no object with its callers", async (store) => {
    const topic = await addTopic(store);
    const header = { "x-key": "1" };
    const added = await addSubscription(store, topic, {
      extension: { header },
    });
    const { id, seq: target } = added;
    const variants = { default: "It was shipped." };
    const message = messageTo(topic, {
      content: { kind: "structure", variants },
    });
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    const outcome = delivered(seq, target);
    await completeRange(store, range, [outcome]);
    const read = async () => ({
      subscription: await store.findSubscriptionById(id),
      message: await store.findMessageBySeq(seq),
      delivery: await store.findDelivery(seq, target),
    });
    const before = structuredClone(await read());
    spoil(header);
    spoil(variants);
    spoil(message);
    spoil(outcome.lastAttempt);
    spoil(added);
    spoil(await read());
    assert.deepEqual(await read(), before);
  });

  test("finishes what was begun before it is closed, and closes twice", async (store) => {
    const begun = Array.from({ length: 20 }, () => addTopic(store));
    await Promise.all([store.close(), store.close()]);
    const topics = await Promise.all(begun);
    assert.equal(new Set(topics.map(({ seq }) => seq)).size, 20);
    await store.close();
  });

  test("refuses what comes after it was closed", async (store, clock) => {
    await store.close();
    const closed = { code: "SHUTTING_DOWN" };
    await assert.rejects(store.putSetting("a", "b", 0), closed);
    await assert.rejects(store.findSetting("a"), closed);
    await assert.rejects(store.nextDue(), closed);
    await assert.rejects(
      claimDue(store, clock, leaseOf("a"), start, 1),
      closed,
    );
    const message = directMessage();
    await assert.rejects(store.findMessage(projectId, message.id), closed);
    await assert.rejects(store.acceptDirectMessage(message, phones(1)), closed);
  });
}

/** Changes all that can be changed in a value, as a careless caller might. */
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const member of Object.values(value)) spoil(member);
  if (Object.isFrozen(value)) return;
  for (const name of Object.keys(value)) Reflect.set(value, name, "spoiled");
}
