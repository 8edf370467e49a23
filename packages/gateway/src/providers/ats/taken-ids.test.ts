import assert from "node:assert/strict";
import { test } from "node:test";
import { TakenIds } from "./taken-ids.ts";

test("takes each text once", async () => {
  const taken = new TakenIds();
  const seen: string[] = [];
  const take = (id: string) => taken.takeOnce(id, async () => seen.push(id));
  for (const id of ["1", "2", "1", "2"]) await take(id);
  assert.deepEqual(seen, ["1", "2"]);
});

test("takes one that could not be taken again, and lets who waits know", async () => {
  const taken = new TakenIds();
  const { promise, reject } = Promise.withResolvers<void>();
  let count = 0;
  const first = taken.takeOnce("1", () => promise);
  const second = taken.takeOnce("1", async () => count++);
  reject(new Error("no room"));
  await assert.rejects(first, /no room/);
  await assert.rejects(second, /no room/);
  assert.equal(count, 0);
  await taken.takeOnce("1", async () => count++);
  await taken.takeOnce("1", async () => count++);
  assert.equal(count, 1);
});

test("forgets the oldest when there are too many", async () => {
  const taken = new TakenIds(2);
  const seen: string[] = [];
  for (const id of ["1", "2", "3", "2", "3", "1"]) {
    await taken.takeOnce(id, async () => seen.push(id));
  }
  assert.deepEqual(seen, ["1", "2", "3", "1"]);
});
