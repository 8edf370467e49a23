import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toEpochMs } from "../time.ts";
import { decideLegacyReceive } from "./legacy-receive.ts";
import { legacyConfirmModes } from "./mailbox.ts";

const start = toEpochMs(1_000_000);
const soon = {
  hasLeased: true,
  lastGetAt: start,
  now: toEpochMs(start + 8999),
  confirmWindowMs: 9000,
  legacyConfirm: "auto",
  confirmsById: false,
} as const;

test("a GET within the window confirms", () => {
  assert.equal(decideLegacyReceive(soon), "confirm");
  assert.equal(decideLegacyReceive({ ...soon, now: start }), "confirm");
});

test("a GET at the end of the window, or later, polls", () => {
  const now = toEpochMs(start + 9000);
  assert.equal(decideLegacyReceive({ ...soon, now }), "poll");
});

test("polls where there is nothing to confirm, or nobody who would", () => {
  for (const fact of [
    { hasLeased: false },
    { legacyConfirm: "off" },
    { confirmsById: true },
    { lastGetAt: undefined },
  ] as const) {
    assert.equal(decideLegacyReceive({ ...soon, ...fact }), "poll");
  }
});

test("what is configured overrides that the subscriber confirms by id", () => {
  const facts = { ...soon, confirmsById: true, legacyConfirm: "on" } as const;
  assert.equal(decideLegacyReceive(facts), "confirm");
  assert.equal(decideLegacyReceive({ ...facts, hasLeased: false }), "poll");
});

test("polls when the clock was set back behind the GET before", () => {
  const now = toEpochMs(start - 1);
  assert.equal(decideLegacyReceive({ ...soon, now }), "poll");
});

test("confirms only what is leased, and only within the window", () => {
  const instant = fc.integer({ min: 0, max: 100_000 }).map(toEpochMs);
  fc.assert(
    fc.property(
      fc.record({
        hasLeased: fc.boolean(),
        lastGetAt: fc.option(instant, { nil: undefined }),
        now: instant,
        confirmWindowMs: fc.integer({ min: 1, max: 20_000 }),
        legacyConfirm: fc.constantFrom(...legacyConfirmModes),
        confirmsById: fc.boolean(),
      }),
      (facts) => {
        if (decideLegacyReceive(facts) === "poll") return;
        const { lastGetAt, now, confirmWindowMs } = facts;
        assert.ok(facts.hasLeased && facts.legacyConfirm !== "off");
        assert.ok(facts.legacyConfirm === "on" || !facts.confirmsById);
        assert.ok(lastGetAt !== undefined && lastGetAt <= now);
        assert.ok(now < lastGetAt + confirmWindowMs);
      },
    ),
  );
});
