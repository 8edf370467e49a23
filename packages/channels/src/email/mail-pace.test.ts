import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { MailPace } from "./mail-pace.ts";

const waiting = new AbortController().signal;

/** Turns that were had, each with when. */
function setUp(mailsPerSecond: number) {
  const clock = new ManualClock();
  const pace = new MailPace(mailsPerSecond, clock);
  const had: [name: string, at: number][] = [];
  const take = async (name: string, signal = waiting) => {
    await pace.turn(signal);
    had.push([name, clock.monotonic()]);
  };
  const pass = async (ms: number) => {
    for (let n = 0; n < ms; n += 50) {
      await clock.nextTurn();
      clock.advance(50);
    }
  };
  return { take, pass, had };
}

test("turns are at an even distance, in their order, and none are saved up", async () => {
  const { take, pass, had } = setUp(4);
  await pass(1000);
  for (const name of ["a", "b", "c"]) void take(name);
  await pass(10_000);
  for (const name of ["d", "e"]) void take(name);
  await pass(1000);
  assert.deepEqual(had, [
    ["a", 1000],
    ["b", 1250],
    ["c", 1500],
    ["d", 11_000],
    ["e", 11_250],
  ]);
});

test("who gives up leaves the turn to the next", async () => {
  const { take, pass, had } = setUp(1);
  const stop = new AbortController();
  void take("a");
  const given = Array.from({ length: 100 }, () => take("x", stop.signal));
  stop.abort(new Error("over"));
  for (const it of given) await assert.rejects(it, /over/);
  void take("b");
  await assert.rejects(take("y", stop.signal), /over/);
  await pass(5000);
  assert.deepEqual(had, [
    ["a", 0],
    ["b", 1000],
  ]);
});
