import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { CarillonError } from "../errors.ts";
import { silentLogger } from "../ports/logger.ts";
import { EndedRows } from "./ended-rows.ts";

const hour = 3_600_000;

type Kind = "keys" | "counters" | "detections" | "dead";

function setUp(left: Record<Kind, number>) {
  const clock = new ManualClock();
  const take = (what: Kind, limit: number) => {
    const removed = Math.min(left[what], limit);
    left[what] -= removed;
    return removed;
  };
  const failures: CarillonError[] = [];
  const rows = new EndedRows({
    clock,
    logger: silentLogger,
    store: {
      async removeEndedKeys(_now, limit) {
        const failure = failures.pop();
        if (failure) throw failure;
        return take("keys", limit);
      },
      removeEndedCounters: async (limit) => take("counters", limit),
      removeEndedDetections: async (limit) => take("detections", limit),
      async forgetDeadMessages(diedBy, limit) {
        assert.equal(diedBy, clock.now() - 2 * 24 * hour);
        return take("dead", limit);
      },
    },
    deadLetterDays: () => 2,
  });
  return { clock, rows, left, failures };
}

test("removes all that has ended, each hour", async () => {
  const { clock, rows, left } = setUp({
    keys: 1200,
    counters: 501,
    detections: 500,
    dead: 501,
  });
  rows.start();
  await clock.advanceSettled(hour - 1);
  assert.deepEqual(left, {
    keys: 1200,
    counters: 501,
    detections: 500,
    dead: 501,
  });
  await clock.advanceSettled(1);
  assert.deepEqual(left, { keys: 0, counters: 0, detections: 0, dead: 0 });
  left.keys = 1;
  await clock.advanceSettled(hour);
  assert.equal(left.keys, 0);
  await rows.stop();
  left.keys = 1;
  await clock.advanceSettled(hour);
  assert.equal(left.keys, 1);
});

test("one kind that cannot be removed now does not keep the others", async () => {
  const { clock, rows, left, failures } = setUp({
    keys: 1,
    counters: 1,
    detections: 1,
    dead: 1,
  });
  failures.push(new CarillonError("STORAGE_FULL"));
  rows.start();
  await clock.advanceSettled(hour);
  assert.deepEqual(left, { keys: 1, counters: 0, detections: 0, dead: 0 });
  await clock.advanceSettled(hour);
  assert.deepEqual(left, { keys: 0, counters: 0, detections: 0, dead: 0 });
  await rows.stop();
});
