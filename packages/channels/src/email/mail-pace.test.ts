import assert from "node:assert/strict";
import { test } from "node:test";
import { MailPace } from "./mail-pace.ts";

test("turns are at an even distance, and none are saved up", () => {
  let now = 1000;
  const pace = new MailPace(4, () => now);
  assert.deepEqual(
    Array.from({ length: 4 }, () => pace.nextWaitMs()),
    [0, 250, 500, 750],
  );
  now += 10_000;
  assert.deepEqual(
    Array.from({ length: 2 }, () => pace.nextWaitMs()),
    [0, 250],
  );
});

test("who gives up does not wait", async () => {
  const pace = new MailPace(0.001);
  const stop = new AbortController();
  await pace.turn(stop.signal);
  const waiting = pace.turn(stop.signal);
  stop.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});
