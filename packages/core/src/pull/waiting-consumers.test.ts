import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { silentLogger } from "../ports/logger.ts";
import type {
  LeaseRequest,
  MessageLease,
} from "../ports/message-queue-store.ts";
import { toEpochMs } from "../time.ts";
import { WaitingConsumers } from "./waiting-consumers.ts";

test("the store is given all that wait at once, and answers part by part", async () => {
  const calls: {
    readonly requests: readonly LeaseRequest[];
    readonly answer: (leases: MessageLease[][]) => void;
  }[] = [];
  const consumers = new WaitingConsumers({
    clock: new ManualClock(),
    logger: silentLogger,
    random: () => 0.5,
    store: {
      leaseMessages: (requests) => {
        const { promise, resolve } = Promise.withResolvers<MessageLease[][]>();
        calls.push({ requests, answer: resolve });
        return promise;
      },
    },
    maxDeliveries: () => 10,
    onLeased: () => {},
  });
  const count = 250;
  const taken: number[] = [];
  for (let mailbox = 0; mailbox < count; mailbox++) {
    consumers.add(mailbox, {
      wanted: 1,
      leaseMs: 60_000,
      take: () => taken.push(mailbox),
      onNothing: () => {},
      onFailure: () => {},
      end: () => {},
    });
  }
  consumers.hint(Array.from({ length: count }, (_, mailbox) => mailbox));
  await nextTurn();
  const asked = calls.flatMap(({ requests }) =>
    requests.map((it) => it.mailbox),
  );
  assert.equal(asked.length, count);
  assert.ok(calls.length > 1);

  const [first] = calls;
  first?.answer(first.requests.map(({ mailbox }) => [leaseFor(mailbox)]));
  await nextTurn();
  assert.deepEqual(
    taken,
    first?.requests.map(({ mailbox }) => mailbox),
  );
});

function leaseFor(target: number): MessageLease {
  return {
    messageSeq: 1,
    target,
    fence: 1,
    deliveryCount: 1,
    until: toEpochMs(60_000),
    topicSeq: 1,
  };
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
