import assert from "node:assert/strict";
import type { Receipt, Store } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  after,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  leaseOf,
  messageTo,
  nextDueAt,
  phones,
  projectId,
  start,
} from "./fixtures.ts";

export function testReceipts({ test }: Cases): void {
  test("moves what was sent on to what the receipt says", async (store) => {
    for (const [event, state] of [
      ["deliver", "delivered"],
      ["fail", "failed"],
      ["reject", "rejected"],
      ["expire", "expired"],
      ["accept", "sent"],
    ] as const) {
      const message = await send(store, event);
      await store.recordReceipt(receiptOf(event, { event }));
      assert.deepEqual(await countsOf(store, message), { [state]: 1 });
    }
  });

  test("lets a final state stand, whatever comes after it", async (store) => {
    const message = await send(store, "x1");
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    await store.recordReceipt(receiptOf("x1", { event: "fail" }));
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("keeps a receipt that comes before its id is known", async (store) => {
    await store.recordReceipt(receiptOf("x1", { event: "accept" }));
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    const message = await send(store, "x1");
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    const other = await send(store, "x1");
    assert.deepEqual(await countsOf(store, other), { sent: 1 });
  });

  test("keeps an early receipt for the outcome of a range too", async (store) => {
    await store.recordReceipt(receiptOf("x1", { event: "fail" }));
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const outcome = {
      state: "sent" as const,
      externalId: "x1",
      provider: "loopback",
    };
    await fanOut(
      store,
      topic,
      (seq) => [delivered(seq, target, outcome)],
      message,
    );
    assert.deepEqual(await countsOf(store, message), { failed: 1 });
  });

  test("tells apart the same id of two providers", async (store) => {
    const message = await send(store, "x1");
    await store.recordReceipt(receiptOf("x1", { provider: "other" }));
    assert.deepEqual(await countsOf(store, message), { sent: 1 });
  });

  test("tells all receipts of a delivery, late and early ones too", async (store) => {
    const accepted = receiptOf("x1", { event: "accept", at: after(1) });
    await store.recordReceipt(accepted);
    const message = await send(store, "x1");
    const delivered = receiptOf("x1", { event: "deliver", at: after(2) });
    await store.recordReceipt(delivered);
    const failed: Receipt = {
      provider: "loopback",
      externalId: "x1",
      event: "fail",
      at: after(3),
    };
    await store.recordReceipt(failed);
    await store.recordReceipt(receiptOf("x2", { event: "fail" }));
    const report = await store.findMessage(projectId, message.id);
    const seq = report?.message.seq ?? 0;
    const delivery = await store.findDelivery(seq, 0);
    assert.equal(delivery?.state, "delivered");
    assert.deepEqual(
      delivery.receipts,
      [accepted, delivered, failed].map(
        ({ provider: _provider, externalId: _id, ...shown }) => shown,
      ),
    );
    const [listed] = await store.listDeliveries(seq, { limit: 1 });
    assert.deepEqual(listed, delivery);
  });

  test("plans no further attempt after a receipt", async (store) => {
    const message = await send(store, "x1", "retrying");
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    assert.equal(await nextDueAt(store), undefined);
  });

  test("lets a receipt that overtook its outcome stand", async (store) => {
    const message = await send(store, "x1", "retrying");
    const [claim] = await store.claimDue(leaseOf("a"), after(10), 1);
    assert.ok(claim);
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    await store.recordOutcomes([
      {
        ...delivered(claim.messageSeq, 0, { state: "retrying", attempts: 2 }),
        nextAttemptAt: after(20),
        fence: claim.fence,
      },
    ]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    assert.equal(await nextDueAt(store), undefined);
  });

  test("solves what was unknown", async (store) => {
    const message = await send(store, "x1", "unknown");
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });
}

/** Sends a message to one phone with this id; it comes to be in `state`. */
async function send(
  store: Store,
  externalId: string,
  state: "sent" | "retrying" | "unknown" = "sent",
) {
  const message = directMessage();
  await store.acceptDirectMessage(message, phones(1));
  const [claim] = await store.claimDue(leaseOf("a"), start, 1);
  assert.ok(claim);
  await store.recordOutcomes([
    {
      ...delivered(claim.messageSeq, 0, { state }),
      ...(state === "retrying" && { nextAttemptAt: after(10) }),
      externalId,
      provider: "loopback",
      fence: claim.fence,
    },
  ]);
  return message;
}

function receiptOf(externalId: string, receipt: Partial<Receipt>): Receipt {
  return {
    provider: "loopback",
    externalId,
    event: "deliver",
    at: start,
    code: "000",
    text: "DELIVRD",
    ...receipt,
  };
}
