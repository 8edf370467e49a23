import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import type { MessageId } from "../ids.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { WrittenDelivery } from "../ports/delivery-listener.ts";
import { OutcomeWaits } from "./outcome-waits.ts";

const id = "1".repeat(32) as MessageId;
const otherId = "2".repeat(32) as MessageId;

function written(
  messageId: MessageId,
  target: number,
  state: DeliveryState = "sent",
): WrittenDelivery {
  const outcome = { messageSeq: 1, target, state, attempts: 1 };
  // Nobody looks at the rest.
  return { item: { message: { id: messageId } }, outcome } as WrittenDelivery;
}

/** Whether a wait is over after so many milliseconds. */
async function setUp(deliveries: number) {
  const clock = new ManualClock();
  const waits = new OutcomeWaits(clock);
  let isOver = false;
  const wait = waits.begin(id, deliveries);
  const ended = wait.within(1000).then(() => {
    isOver = true;
  });
  const isOverAfter = async (ms: number) => {
    await clock.advanceSettled(ms);
    return isOver;
  };
  return { waits, wait, ended, isOverAfter };
}

test("a wait is over once each delivery has an outcome", async () => {
  const { waits, isOverAfter } = await setUp(2);
  waits.onWritten([written(id, 0), written(otherId, 1)]);
  waits.onWritten([written(id, 0, "delivered")]);
  assert.equal(await isOverAfter(1), false);
  waits.onWritten([written(id, 1, "retrying")]);
  assert.equal(await isOverAfter(1), true);
});

test("an attempt that is postponed, or under way, is no outcome", async () => {
  const { waits, isOverAfter } = await setUp(1);
  waits.onWritten([written(id, 0, "waiting"), written(id, 0, "sending")]);
  assert.equal(await isOverAfter(999), false);
  assert.equal(await isOverAfter(1), true);
});

test("a wait is over once what has no outcome is cancelled", async () => {
  const { waits, isOverAfter } = await setUp(2);
  waits.onWritten([written(id, 0)]);
  waits.onCancelled(id, 0);
  waits.onCancelled(otherId, 1);
  waits.onCancelled(otherId);
  assert.equal(await isOverAfter(1), false);
  waits.onCancelled(id, 1);
  assert.equal(await isOverAfter(1), true);
});

test("a wait is over once its message is cancelled as a whole", async () => {
  const { waits, isOverAfter } = await setUp(2);
  waits.onCancelled(id);
  assert.equal(await isOverAfter(1), true);
});

test("an outcome that comes before it is asked for counts", async () => {
  const waits = new OutcomeWaits(new ManualClock());
  const wait = waits.begin(id, 1);
  waits.onWritten([written(id, 0)]);
  await wait.within(1000);
});

test("the end of all waits ends those that begin later, too", async () => {
  const { waits, ended } = await setUp(1);
  waits[Symbol.dispose]();
  await ended;
  await waits.begin(otherId, 1).within(1000);
});
