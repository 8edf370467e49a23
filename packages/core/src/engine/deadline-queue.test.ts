import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import {
  type DeadlineEntry,
  DeadlineQueue,
  deadlineSlackMs,
} from "./deadline-queue.ts";

test("expires each entry after its time, and not before", () => {
  const clock = new ManualClock();
  const queue = new DeadlineQueue<TestEntry>(clock, 1000);
  const first = entry();
  const second = entry();
  queue.add(first);
  clock.advance(400);
  queue.add(second);

  clock.advance(599);
  assert.deepEqual([first.expired, second.expired], [0, 0]);
  clock.advance(1);
  assert.deepEqual([first.expired, second.expired], [1, 0]);
  clock.advance(400 + deadlineSlackMs);
  assert.deepEqual([first.expired, second.expired], [1, 1]);
});

test("leaves out entries that were removed, wherever they stood", () => {
  const clock = new ManualClock();
  const queue = new DeadlineQueue<TestEntry>(clock, 1000);
  const entries = Array.from({ length: 7 }, entry);
  for (const item of entries) queue.add(item);
  for (const at of [0, 3, 6, 3]) queue.remove(pick(entries, at));
  clock.advance(1000);

  assert.deepEqual(
    entries.map(({ expired }) => expired),
    [0, 1, 1, 0, 1, 1, 0],
  );
});

test("after a standstill, lets what has come go before what is due", async () => {
  const clock = new ManualClock();
  let late: (() => void) | undefined;
  const queue = new DeadlineQueue<TestEntry>(
    {
      monotonic: () => clock.monotonic(),
      nextTurn: () => clock.nextTurn(),
      setTimer(_ms, run) {
        late = run;
        return { cancel() {} };
      },
    },
    1000,
  );
  const [answered, silent] = [entry(), entry()];
  queue.add(answered);
  queue.add(silent);
  clock.advance(10_000);
  late?.();
  // The answer lay in its socket all the time.
  setImmediate(() => queue.remove(answered));
  for (let turn = 0; turn < 4; turn++) await clock.nextTurn();
  assert.deepEqual([answered.expired, silent.expired], [0, 1]);
});

test("needs one timer for steady traffic", () => {
  const clock = new ManualClock();
  let timersSet = 0;
  const counting = {
    monotonic: () => clock.monotonic(),
    nextTurn: () => clock.nextTurn(),
    setTimer(ms: number, run: () => void) {
      timersSet++;
      return clock.setTimer(ms, run);
    },
  };
  const queue = new DeadlineQueue<TestEntry>(counting, 1000);
  for (let i = 0; i < 100; i++) {
    const item = entry();
    queue.add(item);
    clock.advance(10);
    queue.remove(item);
  }
  assert.ok(timersSet <= 2, `${timersSet} timers`);
});

test("goes on when an expiring entry adds another one", () => {
  const clock = new ManualClock();
  const queue = new DeadlineQueue<TestEntry>(clock, 1000);
  const next = entry();
  const first = entry();
  first.onExpire = () => queue.add(next);
  queue.add(first);
  clock.advance(1000);
  clock.advance(1000);
  assert.deepEqual([first.expired, next.expired], [1, 1]);
});

test("drains its entries, oldest first, and then does nothing", () => {
  const clock = new ManualClock();
  const queue = new DeadlineQueue<TestEntry>(clock, 1000);
  const entries = [entry(), entry(), entry()];
  for (const item of entries) queue.add(item);

  assert.deepEqual([...queue.drain()], entries);
  clock.advance(2000);
  assert.ok(entries.every(({ expired }) => expired === 0));
});

interface TestEntry extends DeadlineEntry<TestEntry> {
  expired: number;
  onExpire?: () => void;
}

function entry(): TestEntry {
  return {
    deadlineAt: 0,
    earlier: undefined,
    later: undefined,
    expired: 0,
    expire() {
      this.expired++;
      this.onExpire?.();
    },
  };
}

function pick(entries: readonly TestEntry[], index: number): TestEntry {
  return entries[index] ?? assert.fail();
}
