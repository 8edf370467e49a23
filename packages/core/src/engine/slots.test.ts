import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Slots } from "./slots.ts";

test("whoever waited longest is served first", async () => {
  const slots = new Slots(2);
  assert.equal(slots.tryTake(), true);
  assert.equal(slots.tryTake(), true);
  assert.equal(slots.tryTake(), false);
  const served: number[] = [];
  const waiting = Array.from({ length: 3000 }, (_, i) =>
    slots.take().then(() => {
      served.push(i);
    }),
  );
  for (let i = 0; i < 3000; i++) slots.free();
  await Promise.all(waiting);
  assert.deepEqual(
    served,
    Array.from({ length: 3000 }, (_, i) => i),
  );
  assert.equal(slots.taken, 2);
  slots.free();
  slots.free();
  assert.equal(slots.taken, 0);
});

test("those who were served are forgotten though somebody always waits", async () => {
  const slots = new Slots(1);
  assert.equal(slots.tryTake(), true);
  let oldest: WeakRef<Promise<void>> | undefined;
  let ahead = slots.take();
  for (let i = 0; i < 5000; i++) {
    const next = slots.take();
    oldest ??= new WeakRef(next);
    slots.free();
    await ahead;
    ahead = next;
  }
  await new Promise<void>((resolve) => setImmediate(resolve));
  collectGarbage();
  assert.equal(oldest?.deref(), undefined, "a promise of long ago is held");
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
