import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Delivery, Receipt } from "../messages/delivery.ts";
import {
  type DeliveryEvent,
  type DeliveryState,
  deliveryStates,
  deliveryTransitions,
  nextState,
} from "../messages/delivery-state.ts";
import { toEpochMs } from "../time.ts";
import {
  conditionsOf,
  meetsCondition,
  type PymessStateName,
  pymessStateNames,
  pymessStateOf,
} from "./pymess-state.ts";

const at = toEpochMs(0);
const expiry: Receipt = { entry: "a", externalId: "1", event: "expire", at };
type Facts = Pick<
  Delivery,
  "state" | "receiptExpected" | "receipts" | "attempts"
>;

function facts(state: DeliveryState, rest: Partial<Facts> = {}): Facts {
  return { state, attempts: [], ...rest };
}

const receiptExpected = true;
const byReceipt = { receipts: [expiry], attempts: [{ at, durationMs: 1 }] };
const byTime = {
  attempts: [{ at, durationMs: 0, errorClass: "expired" as const }],
};

/** Each state with its names and numbers for texts and for mails. */
const table: readonly (readonly [Facts, string, number, string, number])[] = [
  [facts("waiting"), "WAITING", 1, "WAITING", 1],
  [facts("sending"), "WAITING", 1, "WAITING", 1],
  [facts("retrying"), "ERROR_RETRY", 9, "ERROR_RETRY", 6],
  [facts("unknown"), "UNKNOWN", 2, "SENDING", 2],
  [facts("sent", { receiptExpected }), "SENDING", 3, "SENDING", 2],
  [facts("sent"), "SENT", 4, "SENT", 3],
  [facts("delivered"), "DELIVERED", 7, "SENT", 3],
  [facts("failed"), "ERROR", 8, "ERROR", 4],
  [facts("rejected"), "ERROR_UPDATE", 5, "ERROR", 4],
  [facts("debug"), "DEBUG", 6, "DEBUG", 5],
  [facts("filtered"), "ERROR", 8, "ERROR", 4],
  [facts("suppressed"), "ERROR", 8, "ERROR", 4],
  [facts("expired"), "ERROR", 8, "ERROR", 4],
  [facts("expired", byTime), "ERROR", 8, "ERROR", 4],
  [facts("expired", byReceipt), "ERROR_UPDATE", 5, "ERROR", 4],
  // It was tried again behind the report, and its own life ended.
  [facts("expired", { ...byReceipt, ...byTime }), "ERROR", 8, "ERROR", 4],
  [facts("cancelled"), "ERROR", 8, "ERROR", 4],
];

for (const [given, name, number, ofMail, numberOfMail] of table) {
  const { state, receipts, attempts, receiptExpected: isExpected } = given;
  const how = [
    isExpected && "a report is to come",
    receipts && "by a report",
    attempts[0]?.errorClass && "by time",
  ].filter(Boolean);
  test(`${[state, ...how].join(", ")} is ${name} of texts, and ${ofMail} of mails`, () => {
    assert.deepEqual(pymessStateOf("sms", given), { name, number });
    assert.deepEqual(pymessStateOf("email", given), {
      name: ofMail,
      number: numberOfMail,
    });
  });
}

test("the conditions of a name are met by what has it, and by nothing else", () => {
  for (const channel of ["sms", "email"] as const) {
    for (const [given] of table) {
      const meant = pymessStateNames.filter((name) =>
        conditionsOf(channel, name).some((it) => meetsCondition(given, it)),
      );
      const { name } = pymessStateOf(channel, given);
      assert.deepEqual(meant, [name], `${channel} ${JSON.stringify(given)}`);
    }
  }
  assert.deepEqual(conditionsOf("email", "DELIVERED"), []);
});

test("each state has a line in the table", () => {
  const told = new Set(table.map(([{ state }]) => state));
  assert.deepEqual([...told].sort(), [...deliveryStates].sort());
});

/** Where a state of pymess may lead, itself left out. */
const allowed: Readonly<Record<PymessStateName, readonly PymessStateName[]>> = {
  WAITING: [
    "SENDING",
    "SENT",
    "DELIVERED",
    "DEBUG",
    "UNKNOWN",
    "ERROR_RETRY",
    "ERROR",
    "ERROR_UPDATE",
  ],
  ERROR_RETRY: [
    // An attempt is under way, of which pymess has no name.
    "WAITING",
    "SENDING",
    "SENT",
    "DELIVERED",
    "DEBUG",
    "UNKNOWN",
    "ERROR",
    "ERROR_UPDATE",
  ],
  // Settled by a report, or by an operator.
  UNKNOWN: [
    "SENDING",
    "SENT",
    "DELIVERED",
    "ERROR",
    "ERROR_UPDATE",
    "ERROR_RETRY",
  ],
  SENDING: ["SENT", "DELIVERED", "ERROR", "ERROR_UPDATE"],
  SENT: ["DELIVERED", "ERROR", "ERROR_UPDATE"],
  ERROR: [],
  ERROR_UPDATE: [],
  DEBUG: [],
  DELIVERED: [],
};

/** Of what was sent: another attempt through another carrier, which pymess lacks. */
const failover: ReadonlySet<DeliveryEvent> = new Set(["attempt", "retry"]);

const events = [
  ...new Set(
    Object.values(deliveryTransitions).flatMap(
      (ways) => Object.keys(ways) as DeliveryEvent[],
    ),
  ),
];

test("whatever happens to a delivery, pymess's table of transitions holds", () => {
  const step = fc.record({
    event: fc.constantFrom(...events),
    isReported: fc.boolean(),
  });
  let taken = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let delivery = facts("waiting");
      for (const { event, isReported } of steps) {
        const { state } = delivery;
        if (state === "sent" && failover.has(event)) continue;
        const before = pymessStateOf("sms", delivery).name as PymessStateName;
        const next = nextState(state, event);
        delivery = facts(next, {
          ...(delivery.receipts && byReceipt),
          ...(next === "sent" &&
            (state === "sent" ? delivery.receiptExpected : isReported) && {
              receiptExpected,
            }),
          ...(event === "expire" && state === "sent" && byReceipt),
        });
        const after = pymessStateOf("sms", delivery).name as PymessStateName;
        if (after === before) continue;
        taken++;
        assert.ok(
          allowed[before].includes(after),
          `${before} → ${after} by ${event} from ${state}`,
        );
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(taken > 100);
});
