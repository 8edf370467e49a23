import assert from "node:assert/strict";
import {
  type DeliveryOutcome,
  type EpochMs,
  enoughReceipts,
  type Receipt,
  type Store,
} from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import { ada, order } from "./delivery-actions.ts";
import {
  addSubscription,
  addTopic,
  after,
  claimDue,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  intend,
  leaseOf,
  messageTo,
  nextDueAt,
  phones,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

export function testReceipts({ test }: Cases): void {
  test("moves what was sent on to what the receipt says", async (store, clock) => {
    for (const [event, state] of [
      ["deliver", "delivered"],
      ["fail", "failed"],
      ["reject", "rejected"],
      ["expire", "expired"],
      ["accept", "sent"],
    ] as const) {
      const message = await send(store, clock, event);
      await store.recordReceipt(receiptOf(event, { event }));
      assert.deepEqual(await countsOf(store, message), { [state]: 1 });
    }
  });

  test("lets a final state stand, whatever comes after it", async (store, clock) => {
    const message = await send(store, clock, "x1");
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    await store.recordReceipt(receiptOf("x1", { event: "fail" }));
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("keeps a receipt that comes before its id is known", async (store, clock) => {
    await store.recordReceipt(receiptOf("x1", { event: "accept" }));
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    const message = await send(store, clock, "x1");
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    const other = await send(store, clock, "x1");
    assert.deepEqual(await countsOf(store, other), { sent: 1 });
  });

  test("keeps an early receipt for the outcome of a range too", async (store) => {
    await store.recordReceipt(receiptOf("x1", { event: "fail" }));
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const outcome = {
      state: "sent" as const,
      parts: [{ externalId: "x1" }],
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

  test("tells apart the same id of two providers", async (store, clock) => {
    const message = await send(store, clock, "x1");
    await store.recordReceipt(receiptOf("x1", { entry: "other" }));
    assert.deepEqual(await countsOf(store, message), { sent: 1 });
  });

  test("tells all receipts of a delivery, late and early ones too", async (store, clock) => {
    const accepted = receiptOf("x1", { event: "accept", at: after(1) });
    await store.recordReceipt(accepted);
    const message = await send(store, clock, "x1");
    const delivered = receiptOf("x1", { event: "deliver", at: after(2) });
    await store.recordReceipt(delivered);
    const failed: Receipt = {
      entry: "loopback",
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
    assert.deepEqual(delivery.receipts, [accepted, delivered, failed]);
    const [listed] = await store.listDeliveries(seq, { limit: 1 });
    assert.deepEqual(listed, delivery);
  });

  test("keeps no end of receipts that say nothing new, but every one that does", async (store, clock) => {
    const { messageSeq } = await sendParts(store, clock, ["a", "b"]);
    const eventsOf = async (externalId: string) => {
      const { receipts = [] } = (await store.findDelivery(messageSeq, 0)) ?? {};
      return receipts
        .filter((it) => it.externalId === externalId)
        .map(({ event }) => event);
    };
    await repeat(store, receiptOf("a", { event: "accept" }));
    const accepted = new Array(enoughReceipts).fill("accept");
    assert.deepEqual(await eventsOf("a"), accepted);
    await repeat(store, receiptOf("a", { event: "deliver" }));
    await repeat(store, receiptOf("a", { event: "fail" }));
    assert.deepEqual(await eventsOf("a"), [...accepted, "deliver"]);
    // Another part's are counted by themselves.
    await repeat(store, receiptOf("b", { event: "deliver" }));
    const delivered = new Array(enoughReceipts).fill("deliver");
    assert.deepEqual(await eventsOf("b"), delivered);
    const { state } = (await store.findDelivery(messageSeq, 0)) ?? {};
    assert.equal(state, "delivered");
  });

  test("keeps no end of receipts of an earlier attempt while the last is unknown", async (store, clock) => {
    const { messageSeq } = await sendParts(store, clock, ["a"], {
      nextAttemptAt: after(50),
    });
    const [claim] = await claimDue(store, clock, leaseOf("a"), after(50), 1);
    assert.ok(claim && (await intend(store, claim, "other")));
    await recordOutcomes(store, [
      {
        ...delivered(messageSeq, 0, { state: "unknown", attempts: 2 }),
        provider: "other",
        fence: claim.fence,
      },
    ]);
    await repeat(store, receiptOf("a", { event: "accept" }));
    const found = await store.findDelivery(messageSeq, 0);
    assert.equal(found?.state, "unknown");
    assert.equal(found.receipts?.length, enoughReceipts);
  });

  test("keeps no end of early receipts, and loses none that counts", async (store, clock) => {
    await repeat(store, receiptOf("a", { event: "accept" }));
    await repeat(store, receiptOf("b", { event: "accept" }));
    await repeat(store, receiptOf("a", { entry: "other", event: "fail" }));
    await repeat(store, receiptOf("a", { event: "deliver" }));
    await repeat(store, receiptOf("a", { event: "expire" }));
    await repeat(store, receiptOf("a", { event: "deliver" }));
    const { messageSeq } = await sendParts(store, clock, ["a"]);
    const found = await store.findDelivery(messageSeq, 0);
    assert.equal(found?.state, "delivered");
    assert.deepEqual(
      found.receipts?.map(({ event }) => event),
      [...new Array(enoughReceipts).fill("accept"), "deliver", "expire"],
    );
    const other = await sendParts(store, clock, ["b"]);
    const rest = await store.findDelivery(other.messageSeq, 0);
    assert.equal(rest?.receipts?.length, enoughReceipts);
  });

  test("plans no further attempt after a receipt", async (store, clock) => {
    const message = await send(store, clock, "x1", "retrying");
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    assert.equal(await nextDueAt(store, clock), undefined);
  });

  test("lets a receipt that overtook its outcome stand", async (store, clock) => {
    const message = await send(store, clock, "x1", "retrying");
    const [claim] = await claimDue(store, clock, leaseOf("a"), after(10), 1);
    assert.ok(claim);
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    await recordOutcomes(store, [
      {
        ...delivered(claim.messageSeq, 0, { state: "retrying", attempts: 2 }),
        nextAttemptAt: after(20),
        fence: claim.fence,
      },
    ]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    assert.equal(await nextDueAt(store, clock), undefined);
  });

  test("solves what was unknown", async (store, clock) => {
    const message = await send(store, clock, "x1", "unknown");
    await store.recordReceipt(receiptOf("x1", { event: "deliver" }));
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("a delivery is what its parts are", async (store, clock) => {
    const { messageSeq, target } = await sendParts(store, clock, ["a", "b"]);
    await store.recordReceipt(receiptOf("a", { event: "deliver" }));
    const half = await store.findDelivery(messageSeq, target);
    assert.equal(half?.state, "sent");
    assert.deepEqual(
      half.parts?.map(({ externalId, state }) => [externalId, state]),
      [
        ["a", "delivered"],
        ["b", "sent"],
      ],
    );
    assert.equal(half.externalId, "a");
    await store.recordReceipt(receiptOf("b", { event: "deliver" }));
    const whole = await store.findDelivery(messageSeq, target);
    assert.equal(whole?.state, "delivered");
    const lost = await sendParts(store, clock, ["c", "d"]);
    await store.recordReceipt(receiptOf("d", { event: "expire" }));
    await store.recordReceipt(receiptOf("c", { event: "deliver" }));
    const { state } = (await store.findDelivery(lost.messageSeq, 0)) ?? {};
    assert.equal(state, "expired");
  });

  test("a failed receipt makes the next attempt due where one follows", async (store, clock) => {
    const { messageSeq } = await sendParts(store, clock, ["a"], {
      failsOver: true,
    });
    const failed = receiptOf("a", { event: "reject", at: after(20) });
    assert.equal(await store.recordReceipt(failed), after(20));
    assert.equal(await nextDueAt(store, clock), after(20));
    const [claim] = await claimDue(store, clock, leaseOf("a"), after(20), 1);
    assert.equal(claim?.state, "retrying");
    assert.equal(claim.lastAttempt?.outcome, "failed");
    assert.match(claim.lastAttempt.error ?? "", /reject, DELIVRD \(000\)/);
    // Of the attempt before: only its success counts now.
    await store.recordReceipt(receiptOf("a", { event: "fail" }));
    const delivery = await store.findDelivery(messageSeq, 0);
    assert.equal(delivery?.state, "sending");
    assert.equal(delivery.receipts?.length, 2);
  });

  test("an earlier attempt that succeeds late wins while nothing is final", async (store, clock) => {
    const silent = { failsOver: true, nextAttemptAt: after(50) } as const;
    const { messageSeq } = await sendParts(store, clock, ["a"], silent);
    assert.equal(await nextDueAt(store, clock), after(50));
    const [claim] = await claimDue(store, clock, leaseOf("a"), after(50), 1);
    assert.equal(claim?.state, "sent");
    assert.ok(await intend(store, claim, "other"));
    await store.recordReceipt(receiptOf("a", { event: "deliver" }));
    await recordOutcomes(store, [
      {
        ...delivered(messageSeq, 0, { state: "sent", attempts: 2 }),
        parts: [{ externalId: "b" }],
        provider: "other",
        fence: claim.fence,
      },
    ]);
    const late = receiptOf("b", { entry: "other", event: "fail" });
    await store.recordReceipt(late);
    const delivery = await store.findDelivery(messageSeq, 0);
    assert.equal(delivery?.state, "delivered");
    assert.equal(await nextDueAt(store, clock), undefined);
    assert.deepEqual(
      delivery.parts?.map(({ entry, state }) => [entry, state]),
      [
        ["loopback", "delivered"],
        ["other", "failed"],
      ],
    );
    assert.deepEqual(delivery.receipts?.at(-1), late);
  });

  test("what a claim calls is on record, and lost with its provider's name", async (store, clock) => {
    const message = directMessage();
    await store.acceptDirectMessage(message, phones(2, true));
    const [called, chosen] = await claimDue(
      store,
      clock,
      leaseOf("a", 10),
      start,
      2,
    );
    assert.ok(called && chosen);
    assert.ok(await intend(store, called, "p1"));
    clock.advance(10);
    assert.deepEqual(await store.reclaim(), {
      freed: 1,
      interrupted: 1,
    });
    const { messageSeq } = called;
    const lost = await store.findDelivery(messageSeq, called.recipient.target);
    assert.equal(lost?.state, "unknown");
    assert.equal(lost.attemptCount, 1);
    assert.deepEqual(
      lost.attempts.map(({ provider, outcome, at }) => [provider, outcome, at]),
      [["p1", "unknown", after(1)]],
    );
    // What was freed is nobody's, and cannot be called by who had it.
    assert.equal(await intend(store, chosen), false);
    // The lost one's outcome is better than not knowing.
    await recordOutcomes(store, [
      {
        ...delivered(messageSeq, called.recipient.target, { state: "sent" }),
        fence: called.fence,
      },
    ]);
    const told = await store.findDelivery(messageSeq, called.recipient.target);
    assert.equal(told?.state, "sent");
    assert.equal(told.attempts.length, 1);
  });

  test("deals out polls, each once until its lease ends or it is final", async (store, clock) => {
    const { messageSeq } = await sendParts(store, clock, ["a"], {
      pollAt: after(5),
    });
    assert.deepEqual(await claimPollsAt(store, clock, after(4)), []);
    const [poll] = await claimPollsAt(store, clock, after(5));
    assert.equal(poll?.messageSeq, messageSeq);
    assert.deepEqual(
      poll.parts.map(({ externalId, entry }) => [externalId, entry]),
      [["a", "loopback"]],
    );
    assert.deepEqual(await claimPollsAt(store, clock, after(104)), []);
    assert.equal((await claimPollsAt(store, clock, after(105))).length, 1);
    const next = { messageSeq, target: 0, attempts: 1, pollAt: after(110) };
    await store.schedulePolls([next]);
    const shown = await store.findDelivery(messageSeq, 0);
    assert.equal(shown?.pollAt, after(110));
    assert.equal(shown.receiptExpected, true);
    await store.recordReceipt(receiptOf("a", { event: "deliver" }));
    assert.deepEqual(await claimPollsAt(store, clock, after(1e6)), []);
    await store.schedulePolls([next]);
    const ended = await store.findDelivery(messageSeq, 0);
    assert.equal(ended?.pollAt, undefined);
    assert.equal(ended?.receiptExpected, undefined);
  });

  test("deals out polls of one entry, longest due first, and says when each is due", async (store, clock) => {
    assert.deepEqual(await store.listDuePolls(), []);
    const second = await sendParts(store, clock, ["a"], { pollAt: after(7) });
    const first = await sendParts(store, clock, ["b"], { pollAt: after(6) });
    await sendParts(store, clock, ["c"], { pollAt: after(1) }, "other");
    await sendParts(store, clock, ["d"]);
    const told = await store.listDuePolls();
    assert.deepEqual(
      told
        .map(({ entry, dueInMs }) => [entry, dueInMs + clock.now() - start])
        .sort(),
      [
        ["loopback", 6],
        ["other", 1],
      ],
    );
    clock.advance(after(10) - clock.now());
    const claimed = await store.claimPolls("loopback", 100, 1);
    assert.deepEqual(claimed.polls, [
      {
        ...first,
        attempts: 1,
        sentAt: after(5),
        parts: [
          { attempt: 1, entry: "loopback", externalId: "b", state: "sent" },
        ],
      },
    ]);
    assert.equal(claimed.mayHaveMore, true);
    const rest = await store.claimPolls("loopback", 100, 9);
    assert.deepEqual(
      rest.polls.map(({ messageSeq }) => messageSeq),
      [second.messageSeq],
    );
    assert.equal(rest.mayHaveMore, false);
    const left = await store.listDuePolls();
    assert.deepEqual(
      left.map(({ entry, dueInMs }) => [entry, dueInMs]).sort(),
      [
        ["loopback", 100],
        ["other", -9],
      ],
    );
    assert.deepEqual((await store.claimPolls("nobody", 100, 9)).polls, []);
  });

  test("asks about what is unknown, too, until somebody settles it", async (store, clock) => {
    const unknown = { state: "unknown", pollAt: after(5) } as const;
    const { messageSeq } = await sendParts(store, clock, ["a"], unknown);
    const [poll] = await claimPollsAt(store, clock, after(5));
    assert.deepEqual(
      poll?.parts.map(({ externalId }) => externalId),
      ["a"],
    );
    const next = { messageSeq, target: 0, attempts: 1, pollAt: after(50) };
    await store.schedulePolls([next]);
    assert.equal((await store.findDelivery(messageSeq, 0))?.pollAt, after(50));
    const key = { messageSeq, target: 0 };
    await store.actOnDelivery(key, order("settle_failed"), ada);
    assert.deepEqual(await store.listDuePolls(), []);
    await store.schedulePolls([next]);
    const settled = await store.findDelivery(messageSeq, 0);
    assert.equal(settled?.state, "failed");
    assert.equal(settled.pollAt, undefined);
  });

  test("that the carrier has it is news of what is unknown, once", async (store, clock) => {
    const unknown = { state: "unknown", pollAt: after(5) } as const;
    const { messageSeq } = await sendParts(store, clock, ["a", "b"], unknown);
    for (const externalId of ["a", "b", "a"]) {
      const accept = receiptOf(externalId, { event: "accept" });
      await store.recordReceipt(accept, "polled");
    }
    const found = await store.findDelivery(messageSeq, 0);
    assert.equal(found?.state, "sent");
    assert.equal(found.pollAt, after(5));
    assert.deepEqual(
      found.receipts?.map((it) => [it.externalId, it.event]),
      [["a", "accept"]],
    );
  });

  test("what was asked of an unknown text settles it as a call would", async (store, clock) => {
    for (const [event, state] of [
      ["deliver", "delivered"],
      ["fail", "failed"],
      ["reject", "rejected"],
      ["expire", "expired"],
    ] as const) {
      const unknown = { state: "unknown", pollAt: after(5) } as const;
      const sent = await sendParts(store, clock, [event], unknown);
      await store.recordReceipt(receiptOf(event, { event }), "polled");
      const settled = await store.findDelivery(sent.messageSeq, 0);
      assert.equal(settled?.state, state);
      assert.equal(settled.nextAttemptAt, undefined);
    }
    assert.deepEqual(await store.listDuePolls(), []);
  });

  test("asks no more when it is told so, but of a later attempt", async (store, clock) => {
    const { messageSeq } = await sendParts(store, clock, ["a"], {
      pollAt: after(5),
    });
    const key = { messageSeq, target: 0, pollAt: undefined };
    await store.schedulePolls([{ ...key, attempts: 2 }]);
    assert.equal((await store.findDelivery(messageSeq, 0))?.pollAt, after(5));
    await store.schedulePolls([{ ...key, attempts: 1 }]);
    const delivery = await store.findDelivery(messageSeq, 0);
    assert.equal(delivery?.pollAt, undefined);
    assert.equal(delivery?.state, "sent");
    assert.equal(delivery.receiptExpected, true);
    assert.deepEqual(await store.listDuePolls(), []);
  });

  test("a poll that falls due during the next attempt is not lost", async (store, clock) => {
    const { messageSeq } = await sendParts(store, clock, ["a"], {
      pollAt: after(40),
      nextAttemptAt: after(50),
    });
    const [claim] = await claimDue(store, clock, leaseOf("a"), after(50), 1);
    assert.ok(claim);
    assert.deepEqual(await claimPollsAt(store, clock, after(50)), []);
    // No other provider was left for it.
    await store.release([{ delivery: claim }], {
      delayMs: Number.POSITIVE_INFINITY,
    });
    const [poll] = await claimPollsAt(store, clock, after(150));
    assert.equal(poll?.messageSeq, messageSeq);
  });

  test("keeps of what was asked for only what is new", async (store, clock) => {
    const { messageSeq } = await sendParts(store, clock, ["a", "b"]);
    const receiptsNow = async () => {
      const delivery = await store.findDelivery(messageSeq, 0);
      return delivery?.receipts?.map((it) => [it.externalId, it.event]) ?? [];
    };
    await store.recordReceipt(receiptOf("a", { event: "accept" }), "polled");
    await store.recordReceipt(receiptOf("nobody's", {}), "polled");
    assert.deepEqual(await receiptsNow(), []);
    await store.recordReceipt(receiptOf("a", { event: "deliver" }), "polled");
    // The carrier pushed it meanwhile.
    await store.recordReceipt(receiptOf("b", { event: "deliver" }));
    await store.recordReceipt(receiptOf("b", { event: "deliver" }), "polled");
    await store.recordReceipt(receiptOf("b", { event: "fail" }), "polled");
    assert.deepEqual(await receiptsNow(), [
      ["a", "deliver"],
      ["b", "deliver"],
    ]);
    assert.equal((await store.findDelivery(messageSeq, 0))?.state, "delivered");
  });

  test("a failed receipt that was asked for makes the next attempt due, too", async (store, clock) => {
    await sendParts(store, clock, ["a"], { failsOver: true });
    const failed = receiptOf("a", { event: "reject", at: after(20) });
    assert.equal(await store.recordReceipt(failed, "polled"), after(20));
    assert.equal(await store.recordReceipt(failed, "polled"), undefined);
    assert.equal(await nextDueAt(store, clock), after(20));
  });
}

/** Sends a message to one phone with this id; it comes to be in `state`. */
async function send(
  store: Store,
  clock: ManualClock,
  externalId: string,
  state: "sent" | "retrying" | "unknown" = "sent",
) {
  const message = directMessage();
  await store.acceptDirectMessage(message, phones(1));
  const [claim] = await claimDue(store, clock, leaseOf("a"), start, 1);
  assert.ok(claim);
  await recordOutcomes(store, [
    {
      ...delivered(claim.messageSeq, 0, { state }),
      ...(state === "retrying" && { nextAttemptAt: after(10) }),
      parts: [{ externalId }],
      provider: "loopback",
      fence: claim.fence,
    },
  ]);
  return message;
}

/** Sends a message to one phone, in parts with these ids; it is `sent`. */
async function sendParts(
  store: Store,
  clock: ManualClock,
  ids: readonly string[],
  outcome: Partial<DeliveryOutcome> = {},
  provider = "loopback",
) {
  await store.acceptDirectMessage(directMessage(), phones(1, true));
  const [claim] = await claimDue(store, clock, leaseOf("a"), start, 1);
  assert.ok(claim && (await intend(store, claim)));
  const { messageSeq, fence } = claim;
  const lastAttempt = {
    at: start,
    durationMs: 5,
    provider,
    outcome: "accepted",
  } as const;
  await recordOutcomes(store, [
    {
      ...delivered(messageSeq, 0, { state: "sent", lastAttempt, ...outcome }),
      receiptExpected: true,
      parts: ids.map((externalId) => ({ externalId })),
      provider,
      fence,
    },
  ]);
  return { messageSeq, target: 0 };
}

function receiptOf(externalId: string, receipt: Partial<Receipt>): Receipt {
  return {
    entry: "loopback",
    externalId,
    event: "deliver",
    at: start,
    code: "000",
    text: "DELIVRD",
    ...receipt,
  };
}

/** As often as is enough, and a few times more. */
async function repeat(store: Store, receipt: Receipt): Promise<void> {
  for (let n = 0; n < enoughReceipts + 5; n++) {
    await store.recordReceipt(receipt);
  }
}

/** Waits until `now`. */
async function claimPollsAt(store: Store, clock: ManualClock, now: EpochMs) {
  clock.advance(now - clock.now());
  const { polls } = await store.claimPolls("loopback", 100, 9);
  return polls;
}
