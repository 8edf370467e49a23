import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addMs, toEpochMs } from "../time.ts";
import {
  type ActionFacts,
  type ActionOrder,
  decideAction,
} from "./delivery-action.ts";
import { actionStates, defaultActionStates } from "./delivery-job.ts";
import {
  deliveryActions,
  deliveryStates,
  isSettled,
  stateAfterAction,
} from "./delivery-state.ts";

const now = toEpochMs(1_000_000);

function facts(given: Partial<ActionFacts> = {}): ActionFacts {
  return {
    audience: "direct",
    status: undefined,
    isEscalationOver: false,
    isMessageCancelled: false,
    state: "failed",
    nextAttemptAt: undefined,
    expiresAt: undefined,
    protocol: "sms",
    message: { createdAt: now, expiresAt: addMs(now, 3_600_000) },
    ...given,
  };
}

function order(given: Partial<ActionOrder> = {}): ActionOrder {
  return {
    action: "resend",
    now,
    lives: { sms: 4 * 3600 },
    pullProtocols: [],
    ...given,
  };
}

test("no action takes back an attempt under way, or sends twice what arrived", () => {
  for (const action of deliveryActions) {
    for (const state of [
      "sending",
      "sent",
      "delivered",
      "debug",
      "filtered",
    ] as const) {
      assert.equal(stateAfterAction(state, action), undefined, state);
    }
  }
});

test("settling is for what is unknown only", () => {
  for (const action of deliveryActions) {
    if (!action.startsWith("settle_")) continue;
    assert.deepEqual(actionStates(action), ["unknown"]);
  }
});

test("a resend by filter is by default for what failed for sure", () => {
  assert.deepEqual(defaultActionStates("resend"), [
    "failed",
    "rejected",
    "expired",
  ]);
  assert.deepEqual(defaultActionStates("cancel"), ["waiting", "retrying"]);
});

test("whatever it is asked, it answers a state of the table or a refusal", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...deliveryStates),
      fc.constantFrom(...deliveryActions),
      fc.option(fc.integer({ min: -10, max: 10 }), { nil: undefined }),
      fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
      (state, action, dueIn, timeToLiveSeconds) => {
        const decision = decideAction(
          facts({
            state,
            nextAttemptAt: dueIn === undefined ? undefined : addMs(now, dueIn),
          }),
          order({
            action,
            ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
          }),
        );
        if (decision.refused !== undefined) return;
        assert.equal(decision.to, stateAfterAction(state, action));
        // Due at once, or nothing is left to do.
        assert.equal(
          decision.nextAttemptAt,
          isSettled(decision.to) ? undefined : now,
        );
      },
    ),
  );
});

test("a delivery whose attempt is due is not resent a second time", () => {
  const due = facts({ state: "retrying", nextAttemptAt: now });
  assert.deepEqual(decideAction(due, order()), { refused: "state" });
  const later = facts({ state: "retrying", nextAttemptAt: addMs(now, 1) });
  assert.equal(decideAction(later, order()).refused, undefined);
});

test("its life ends a resend, unless it gets a new one", () => {
  const over = facts({
    message: { createdAt: toEpochMs(0), expiresAt: now, timeToLiveSeconds: 9 },
  });
  assert.deepEqual(decideAction(over, order()), { refused: "expired" });
  assert.deepEqual(decideAction(over, order({ timeToLiveSeconds: 30 })), {
    to: "retrying",
    nextAttemptAt: now,
    expiresAt: addMs(now, 30_000),
  });
  const renewed = { ...over, expiresAt: addMs(now, 1) };
  assert.equal(decideAction(renewed, order()).refused, undefined);
});

test("what is fetched is resent into a mailbox that takes it, and no other", () => {
  const pull = order({ pullProtocols: ["pull"], timeToLiveSeconds: 30 });
  const dead = (mailbox: ActionFacts["mailbox"]) =>
    facts({ protocol: "pull", ...(mailbox && { mailbox }) });
  assert.deepEqual(decideAction(dead({ quota: 2, depth: 1 }), pull), {
    to: "waiting",
    expiresAt: addMs(now, 30_000),
    isFetched: true,
  });
  for (const mailbox of [
    { quota: 2, depth: 2 },
    { quota: 2, depth: 0, disabled: true as const },
  ]) {
    const refused = { refused: "not_queued", mailbox };
    assert.deepEqual(decideAction(dead(mailbox), pull), refused);
  }
});

test("nothing is sent again to who unsubscribed; settling needs no recipient", () => {
  const gone = facts({ audience: "topic", status: 3, state: "unknown" });
  assert.deepEqual(decideAction(gone, order()), { refused: "unwanted" });
  assert.deepEqual(decideAction(gone, order({ action: "settle_failed" })), {
    to: "failed",
  });
});
