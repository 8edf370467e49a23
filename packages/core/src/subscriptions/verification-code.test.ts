import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, MemoryStore } from "@carillon/testing";
import { CodeGuard, mayTryCode } from "./verification-code.ts";

const hash = (...parts: readonly string[]) =>
  Buffer.from(JSON.stringify(parts)).toString("base64url");

function setUp() {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const guard = new CodeGuard(store, hash);
  /** Whether the code counted; it was wrong. */
  const guess = async (endpoint: string, sender: string, by = guard) => {
    const keys = by.keysOf(endpoint, sender);
    const mayTry = await by.mayTry(keys);
    await by.countWrong(keys);
    return mayTry;
  };
  return { clock, store, guard, guess };
}

test("takes five wrong codes per endpoint, sender and hour", async () => {
  const { clock, guess } = setUp();
  for (let n = 0; n < 5; n++) assert.ok(await guess("a", "me"));
  clock.advance(3_599_999);
  assert.equal(await guess("a", "me"), false);
  assert.ok(await guess("b", "me"));
  assert.ok(await guess("a", "you"));
  clock.advance(1);
  for (let n = 0; n < 5; n++) assert.ok(await guess("a", "me"));
  assert.equal(await guess("a", "me"), false);
});

test("takes five of two processes together", async () => {
  const { store, guard, guess } = setUp();
  const other = new CodeGuard(store, hash);
  let taken = 0;
  for (let n = 0; n < 10; n++) {
    if (await guess("a", "me", n % 2 ? guard : other)) taken++;
  }
  assert.equal(taken, 5);
});

test("hears each sender once after a hundred wrong codes", async () => {
  const { guess } = setUp();
  for (let n = 0; n < 100; n++) assert.ok(await guess("a", `bot ${n}`));
  assert.equal(await guess("a", "bot 1"), false);
  assert.ok(await guess("a", "me"));
  assert.equal(await guess("a", "me"), false);
  assert.ok(await guess("b", "me"));
});

test("who has used up its tries counts for nothing more", async () => {
  const { guess } = setUp();
  for (let n = 0; n < 200; n++) await guess("a", "stranger");
  for (let n = 0; n < 5; n++) assert.ok(await guess("a", "me"));
});

test("a code counts below five of its sender, below one of a hundred", () => {
  const count = (n: number) => ({ count: n });
  for (const [own, all, expected] of [
    [0, 0, true],
    [4, 99, true],
    [5, 99, false],
    [0, 100, true],
    [1, 100, false],
  ] as const) {
    assert.equal(mayTryCode(count(own), count(all)), expected);
  }
  assert.ok(mayTryCode(undefined, undefined));
});

test("asks the store for nothing that could be read", async () => {
  const { store, guard } = setUp();
  const keys = guard.keysOf("7@+491700000000", "192.0.2.1");
  assert.notEqual(keys.sender, keys.all);
  await guard.countWrong(keys);
  const kept = await store.readCounters("wrong_code", [keys.sender, keys.all]);
  assert.deepEqual(
    kept.map((it) => it?.count),
    [1, 1],
  );
});
