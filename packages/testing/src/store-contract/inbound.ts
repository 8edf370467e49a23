import assert from "node:assert/strict";
import type { NewInboundMessage, Store } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  after,
  claimRanges,
  freshId,
  hasRanges,
  leaseOf,
  messageTo,
  otherProjectId,
  projectId,
  start,
} from "./fixtures.ts";

export function testInbound({ test }: Cases): void {
  test("keeps a text as it came, with a growing number", async (store) => {
    const full = newInbound({
      externalId: "x1",
      to: "+4915100000000",
      text: "Zürich 🛎\n\u0000",
      keyword: "ZÜRICH",
    });
    const first = await store.acceptInbound(full, undefined);
    const bare = newInbound({ from: "", text: "" });
    const second = await store.acceptInbound(bare, undefined);
    assert.deepEqual(first, {
      inbound: { ...full, seq: first.inbound.seq },
      isRepeated: false,
    });
    assert.ok(second.inbound.seq > first.inbound.seq);
    assert.deepEqual(
      await store.findInbound(projectId, full.id),
      first.inbound,
    );
    assert.deepEqual(
      await store.findInbound(projectId, bare.id),
      second.inbound,
    );
  });

  test("finds no text of another project", async (store) => {
    const { id } = await keep(store, { projectId: otherProjectId });
    assert.equal(await store.findInbound(projectId, id), undefined);
    assert.deepEqual(await list(store), []);
  });

  test("keeps the notification with the text, due at once", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const notification = messageTo(topic);
    const inbound = newInbound({ messageId: notification.id });
    await store.acceptInbound(inbound, notification);
    assert.equal(await hasRanges(store), true);
    const [claimed] = await claimRanges(store, leaseOf("a"), 10);
    assert.equal(claimed?.message.id, notification.id);
    const kept = await store.findInbound(projectId, inbound.id);
    assert.equal(kept?.messageId, notification.id);
  });

  test("keeps and publishes a repeated text only once", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const repeated = { externalId: "x1", text: "On my way" };
    const accept = () => {
      const notification = messageTo(topic);
      const messageId = notification.id;
      return store.acceptInbound(
        newInbound({ ...repeated, messageId }),
        notification,
      );
    };
    const [first, ...others] = await Promise.all([
      accept(),
      accept(),
      accept(),
    ]);
    assert.equal(first.isRepeated, false);
    for (const other of others) {
      assert.deepEqual(other, { inbound: first.inbound, isRepeated: true });
    }
    assert.equal((await list(store)).length, 1);
    const { messages } = await store.listMessages(projectId, {}, { limit: 10 });
    assert.deepEqual(
      messages.map(({ message }) => message.id),
      [first.inbound.messageId],
    );
  });

  test("takes nothing else for a repetition", async (store) => {
    const externalId = "x1";
    await keep(store, { externalId });
    for (const other of [
      { externalId: "x2" },
      { externalId, provider: "other" },
      // A carrier that began to count anew.
      { externalId, text: "Something else" },
      { externalId, from: "+4915199999999" },
      {},
      {},
    ]) {
      const { isRepeated } = await store.acceptInbound(
        newInbound(other),
        undefined,
      );
      assert.equal(isRepeated, false);
    }
    assert.equal((await list(store)).length, 7);
  });

  test("lists the newest first, page by page", async (store) => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.unshift((await keep(store)).id);
    const [first, second] = await store.listInbound(
      projectId,
      {},
      { limit: 2 },
    );
    assert.deepEqual([first?.id, second?.id], ids.slice(0, 2));
    const rest = await store.listInbound(
      projectId,
      {},
      { limit: 10, ...(second && { before: second.seq }) },
    );
    assert.deepEqual(
      rest.map(({ id }) => id),
      ids.slice(2),
    );
  });

  test("filters the list of texts", async (store) => {
    const to = "+4915100000000";
    const a = await keep(store, { to });
    const b = await keep(store, { from: "+1", receivedAt: after(1000) });
    const c = await keep(store, {
      from: "+1",
      to,
      receivedAt: after(2000),
    });
    assert.deepEqual(await list(store, { from: "+1" }), [c.id, b.id]);
    assert.deepEqual(await list(store, { to }), [c.id, a.id]);
    assert.deepEqual(await list(store, { since: after(1000) }), [c.id, b.id]);
    assert.deepEqual(
      await list(store, { from: "+1", to, since: after(2000) }),
      [c.id],
    );
    assert.deepEqual(await list(store, { from: "1" }), []);
  });
}

function newInbound(
  inbound: Partial<NewInboundMessage> = {},
): NewInboundMessage {
  return {
    id: freshId(),
    projectId,
    provider: "loopback",
    from: "+4915112345678",
    text: "Hello",
    receivedAt: start,
    ...inbound,
  };
}

async function keep(store: Store, inbound: Partial<NewInboundMessage> = {}) {
  const kept = await store.acceptInbound(newInbound(inbound), undefined);
  return kept.inbound;
}

async function list(
  store: Store,
  filter: Parameters<Store["listInbound"]>[1] = {},
): Promise<string[]> {
  const found = await store.listInbound(projectId, filter, { limit: 1000 });
  return found.map(({ id }) => id);
}
