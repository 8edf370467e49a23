import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { addMs, toEpochMs } from "../time.ts";
import { decideAction } from "./delivery-action.ts";
import {
  type DeliveryAction,
  type DeliveryEvent,
  deliveryActions,
  deliveryStates,
  deliveryTransitions,
  isFinal,
  isSettled,
  nextState,
  stateAfterAction,
} from "./delivery-state.ts";

const events: readonly DeliveryEvent[] = [
  "attempt",
  "postpone",
  "release",
  "retry",
  "accept",
  "deliver",
  "fail",
  "reject",
  "lose",
  "expire",
  "filter",
  "suppress",
  "cancel",
  "simulate",
];

test("no sequence of events leaves a final state", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...deliveryStates),
      fc.array(fc.constantFrom(...events), { maxLength: 30 }),
      (start, sequence) => {
        let state = start;
        let final = isFinal(start) ? start : undefined;
        for (const event of sequence) {
          state = nextState(state, event);
          if (final !== undefined) assert.equal(state, final);
          if (isFinal(state)) final = state;
        }
      },
    ),
  );
});

test("what was sent is never taken for unsent", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events)), (sequence) => {
      let state = nextState(nextState("waiting", "attempt"), "accept");
      for (const event of sequence) {
        // A further attempt is a decision, and no report of the one before.
        if (event === "attempt" || event === "retry") continue;
        state = nextState(state, event);
        assert.ok(
          state === "sent" || isFinal(state),
          `${sequence.join(" ")} led from sent to ${state}`,
        );
      }
    }),
  );
});

test("an unknown outcome is not attempted again by itself", () => {
  assert.equal(nextState("unknown", "attempt"), "unknown");
  assert.equal(nextState("unknown", "retry"), "retrying");
  assert.equal(nextState("unknown", "deliver"), "delivered");
});

test("every state that is not final has a way to a final one", () => {
  for (const state of deliveryStates) {
    if (isFinal(state)) continue;
    const next = Object.values(deliveryTransitions[state]);
    assert.ok(next.some(isFinal), state);
  }
});

test("exactly the listed states are final", () => {
  assert.deepEqual(deliveryStates.filter(isFinal), [
    "delivered",
    "failed",
    "rejected",
    "debug",
    "filtered",
    "suppressed",
    "expired",
    "cancelled",
  ]);
  assert.deepEqual(
    deliveryStates.filter((state) => isSettled(state) && !isFinal(state)),
    ["unknown", "sent"],
  );
});

test("docs/internals/states.md has the tables of transitions", () => {
  const path = "../../../../docs/internals/states.md";
  const page = readFileSync(new URL(path, import.meta.url), "utf8");
  const [, diagram = ""] = /```mermaid\n([\s\S]*?)```/.exec(page) ?? [];
  assert.equal(diagram, toDiagram());
  const [, table = ""] =
    /\n\| action [^\n]*\n\|[- |]*\n([\s\S]*?)\n\n/.exec(page) ?? [];
  const rows = table.split("\n").map((row) => row.replace(/ +/g, " "));
  assert.deepEqual(rows, deliveryActions.map(toTableRow));
});

/** From where an action of an operator leads where; of what is fetched, too. */
function toTableRow(action: DeliveryAction): string {
  const from = deliveryStates.filter((it) => stateAfterAction(it, action));
  const now = toEpochMs(0);
  const decide = (pullProtocols: readonly string[]) =>
    from.map(
      (state) =>
        decideAction(
          {
            audience: "direct",
            status: undefined,
            isEscalationOver: false,
            isMessageCancelled: false,
            state,
            nextAttemptAt: undefined,
            expiresAt: undefined,
            protocol: "queue",
            mailbox: { quota: 1, depth: 0 },
            message: { createdAt: now, expiresAt: addMs(now, 9) },
          },
          { action, now, lives: { queue: 9 }, pullProtocols },
        ) as { readonly to: string },
    );
  const cells = [[action], from, decide([]), decide(["queue"])].map((cell) =>
    [...new Set(cell.map((it) => (typeof it === "string" ? it : it.to)))]
      .map((it) => `\`${it}\``)
      .join(", "),
  );
  return `| ${cells.join(" | ")} |`;
}

/** Each way from one state to another; ways that all open states share, once. */
function toDiagram(): string {
  const open = ["waiting", "sending", "retrying"] as const;
  const isShared = (event: DeliveryEvent) =>
    open.every(
      (state) =>
        deliveryTransitions[state][event] ===
        deliveryTransitions.waiting[event],
    );
  const edges = new Map<string, DeliveryEvent[]>();
  for (const state of deliveryStates) {
    const isOpen = open.some((it) => it === state);
    for (const event of events) {
      const next = deliveryTransitions[state][event];
      if (next === undefined) continue;
      const from = isOpen && isShared(event) ? "open" : state;
      const edge = `${from} --> ${next}`;
      const labels = edges.get(edge) ?? [];
      if (!labels.includes(event)) edges.set(edge, [...labels, event]);
    }
  }
  const byOperators = new Map<string, DeliveryAction[]>();
  for (const state of deliveryStates) {
    for (const action of deliveryActions) {
      const next = stateAfterAction(state, action);
      if (next === undefined) continue;
      const edge = `${state} --> ${next}`;
      byOperators.set(edge, [...(byOperators.get(edge) ?? []), action]);
    }
  }
  return [
    "stateDiagram-v2",
    "  [*] --> waiting",
    "  state open {",
    ...open.map((state) => `    ${state}`),
    "  }",
    ...[...edges].map(([edge, labels]) => `  ${edge}: ${labels.join(", ")}`),
    ...[...byOperators].map(
      ([edge, actions]) => `  ${edge}: operator ${actions.join(", ")}`,
    ),
    ...deliveryStates.filter(isFinal).map((state) => `  ${state} --> [*]`),
    "",
  ].join("\n");
}
