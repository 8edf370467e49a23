import assert from "node:assert/strict";
import type {
  AcceptedAudience,
  AcceptedOnce,
  IdempotencyKey,
  MessageId,
  Store,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  after,
  claimRanges,
  completeRange,
  countsOf,
  directMessage,
  freshId,
  leaseOf,
  messageTo,
  otherProjectId,
  phones,
  projectId,
  start,
} from "./fixtures.ts";

const toPhone: AcceptedAudience = { kind: "direct", recipients: phones(1) };

function keyOf(key: string, changes: Partial<IdempotencyKey> = {}) {
  const id = freshId<MessageId>();
  const kept: IdempotencyKey = {
    projectId,
    key,
    fingerprint: "f1",
    requestId: freshId(),
    messageId: id,
    expiresAt: after(1000),
    ...changes,
  };
  return { kept, message: directMessage({ id }) };
}

async function messageIds(store: Store): Promise<readonly string[]> {
  const { messages } = await store.listMessages(projectId, {}, { limit: 99 });
  return messages.map(({ message }) => message.id);
}

function isKept(accepted: AcceptedOnce): boolean {
  return !accepted.isRepeated;
}

export function testIdempotency({ test }: Cases): void {
  test("keeps a message with its key", async (store) => {
    const { kept, message } = keyOf("a");
    const accepted = await store.acceptOnce(kept, message, toPhone);
    assert.equal(isKept(accepted), true);
    assert.deepEqual(
      await store.findIdempotencyKey(projectId, "a", start),
      kept,
    );
    assert.deepEqual(await countsOf(store, message), { waiting: 1 });
    for (const [project, key] of [
      [projectId, "b"],
      [otherProjectId, "a"],
    ] as const) {
      const found = await store.findIdempotencyKey(project, key, start);
      assert.equal(found, undefined);
    }
  });

  test("answers a key that is there with what was kept", async (store) => {
    const { kept, message } = keyOf("a");
    await store.acceptOnce(kept, message, toPhone);
    const again = keyOf("a", { fingerprint: "f2" });
    assert.deepEqual(
      await store.acceptOnce(again.kept, again.message, toPhone),
      { isRepeated: true, earlier: kept },
    );
    assert.deepEqual(await messageIds(store), [message.id]);
    // Keys are each project's own.
    const other = keyOf("a", { projectId: otherProjectId });
    const accepted = await store.acceptOnce(other.kept, other.message, toPhone);
    assert.equal(isKept(accepted), true);
  });

  test("of many requests with one key at once one is kept", async (store) => {
    const requests = Array.from({ length: 64 }, (_, n) => keyOf(`k${n % 8}`));
    const answers = await Promise.all(
      requests.map(({ kept, message }) =>
        store.acceptOnce(kept, message, toPhone),
      ),
    );
    assert.equal(answers.filter(isKept).length, 8);
    assert.equal((await messageIds(store)).length, 8);
    for (const [n, answer] of answers.entries()) {
      const kept = await store.findIdempotencyKey(
        projectId,
        `k${n % 8}`,
        start,
      );
      const id = answer.isRepeated
        ? answer.earlier.messageId
        : requests[n]?.kept.messageId;
      assert.equal(id, kept?.messageId);
    }
  });

  test("gives the first range of a message with a key a lease", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const { kept } = keyOf("a");
    const message = messageTo(topic, { id: kept.messageId });
    const accepted = await store.acceptOnce(kept, message, {
      kind: "topics",
      lease: leaseOf("a"),
    });
    assert.ok(!accepted.isRepeated && accepted.range);
    assert.deepEqual(await claimRanges(store, leaseOf("b"), 9), []);
    const end = await completeRange(store, accepted.range, []);
    assert.equal(end.kept, true);
    const later = keyOf("b");
    await store.acceptOnce(
      later.kept,
      messageTo(topic, { id: later.kept.messageId }),
      { kind: "topics", lease: undefined },
    );
    assert.equal((await claimRanges(store, leaseOf("b"), 9)).length, 1);
  });

  test("keeps no key without its message", async (store) => {
    const { kept, message } = keyOf("a");
    const recipients = phones(1).map((it) => ({
      ...it,
      endpoint: null as unknown as string,
    }));
    await assert.rejects(
      store.acceptOnce(kept, message, { kind: "direct", recipients }),
      { code: "STORAGE_REFUSED" },
    );
    assert.equal(
      await store.findIdempotencyKey(projectId, "a", start),
      undefined,
    );
    const accepted = await store.acceptOnce(kept, message, toPhone);
    assert.equal(isKept(accepted), true);
  });

  test("frees a key when it ends", async (store) => {
    const first = keyOf("a");
    await store.acceptOnce(first.kept, first.message, toPhone);
    const find = (ms: number) =>
      store.findIdempotencyKey(projectId, "a", after(ms));
    assert.deepEqual(await find(999), first.kept);
    assert.equal(await find(1000), undefined);
    const second = keyOf("a", { expiresAt: after(5000) });
    const message = { ...second.message, createdAt: after(1000) };
    const accepted = await store.acceptOnce(second.kept, message, toPhone);
    assert.equal(isKept(accepted), true);
    assert.deepEqual(await find(1000), second.kept);
  });

  test("removes keys that have ended, as many as asked for", async (store) => {
    for (let n = 0; n < 10; n++) {
      const { kept, message } = keyOf(`k${n}`, { expiresAt: after(100 + n) });
      await store.acceptOnce(kept, message, toPhone);
    }
    assert.equal(await store.removeEndedKeys(after(99), 9), 0);
    assert.equal(await store.removeEndedKeys(after(107), 5), 5);
    assert.equal(await store.removeEndedKeys(after(107), 5), 3);
    assert.equal(await store.removeEndedKeys(after(107), 5), 0);
    const left = await store.findIdempotencyKey(projectId, "k8", start);
    assert.equal(left?.key, "k8");
  });

  test("removes ended keys with each new one", async (store) => {
    for (let n = 0; n < 4; n++) {
      const { kept, message } = keyOf(`k${n}`, { expiresAt: after(100) });
      await store.acceptOnce(kept, message, toPhone);
    }
    const { kept, message } = keyOf("new", { expiresAt: after(5000) });
    const createdAt = after(100);
    await store.acceptOnce(kept, { ...message, createdAt }, toPhone);
    assert.equal(await store.removeEndedKeys(after(100), 9), 0);
  });
}
