import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConsumerRecord } from "../harness/pull-consumer.ts";
import { findConsumerFaults } from "./consumer-faults.ts";

const record = (
  event: ConsumerRecord["event"],
  at: number,
  more: Partial<ConsumerRecord> = {},
): ConsumerRecord => ({ event, mailbox: "box", text: "m", at, ...more });

test("a second delivery before the confirmation is explained", () => {
  const found = findConsumerFaults([
    record("got", 1, { leaseId: "a", deliveryCount: 1 }),
    record("got", 5, { leaseId: "b", deliveryCount: 2 }),
    record("confirmed", 9, { leaseId: "b", deliveryCount: 2 }),
  ]);
  assert.deepEqual(found, { again: [], shared: [] });
});

test("a delivery after the confirmation has no excuse", () => {
  const { again } = findConsumerFaults([
    record("got", 1, { leaseId: "a", deliveryCount: 1 }),
    record("confirmed", 2, { leaseId: "a", deliveryCount: 1 }),
    record("got", 3, { leaseId: "b", deliveryCount: 2 }),
  ]);
  assert.deepEqual(again, ["box m"]);
});

test("without counts it is told by when it was asked for", () => {
  const early = [record("got", 1), record("confirmed", 3), record("got", 2)];
  assert.deepEqual(findConsumerFaults(early).again, []);
  const late = [record("got", 1), record("confirmed", 2), record("got", 3)];
  assert.deepEqual(findConsumerFaults(late).again, ["box m"]);
});

test("one lease is handed out once", () => {
  const lease = { leaseId: "a", deliveryCount: 1 };
  const { shared } = findConsumerFaults([
    record("got", 1, lease),
    record("got", 2, lease),
  ]);
  assert.deepEqual(shared, ["box m, lease a"]);
});
