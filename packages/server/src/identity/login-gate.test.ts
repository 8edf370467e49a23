import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { createLoginGate } from "./login-gate.ts";

function setUp() {
  const clock = new ManualClock();
  const gate = createLoginGate(clock);
  let running = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  /** A check that goes on until `end` is called. */
  const begin = (user: string, address: string, isRight = false) => {
    const done = gate.run({ user, address }, async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
      return isRight;
    });
    done.catch(() => {});
    return done;
  };
  const endAll = async () => {
    for (let i = 0; i < 100; i++) {
      for (const end of ends.splice(0)) end();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const fail = (user: string, address: string) =>
    gate.run({ user, address }, async () => false);
  return { clock, gate, begin, endAll, fail, most: () => most };
}

const throttled = (retryAfterSeconds: number) => ({
  code: "LOGIN_THROTTLED",
  retryAfterSeconds,
});

test("two passwords are checked at once, and 32 wait", async () => {
  const { begin, endAll, most } = setUp();
  const all = Array.from({ length: 34 }, (_, i) => begin(`u${i}`, `a${i}`));
  await assert.rejects(begin("one", "more"), throttled(1));
  await endAll();
  await Promise.all(all);
  assert.equal(most(), 2);
  const later = begin("one", "more", true);
  await endAll();
  assert.equal(await later, true);
});

test("one address and one user have half of the places", async () => {
  for (const [user, address] of [
    [(i: number) => `u${i}`, () => "same"],
    [() => "same", (i: number) => `a${i}`],
  ] as const) {
    const { begin, endAll } = setUp();
    const all = Array.from({ length: 16 }, (_, i) =>
      begin(user(i), address(i)),
    );
    await assert.rejects(begin(user(16), address(16)), throttled(1));
    const other = begin("other", "elsewhere", true);
    await endAll();
    await Promise.all(all);
    assert.equal(await other, true);
  }
});

test("after five failures each further one doubles the wait", async () => {
  const { clock, fail } = setUp();
  for (let i = 0; i < 5; i++) assert.equal(await fail("u", "a"), false);
  for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
    await assert.rejects(fail("u", "a"), throttled(seconds));
    clock.advance(seconds * 1000 - 1);
    await assert.rejects(fail("u", "a"), throttled(1));
    clock.advance(1);
    assert.equal(await fail("u", "a"), false);
  }
});

test("failures are of one user from one address", async () => {
  const { fail, gate } = setUp();
  for (let i = 0; i < 5; i++) await fail("u", "stranger");
  await assert.rejects(fail("u", "stranger"), throttled(1));
  const right = (user: string, address: string) =>
    gate.run({ user, address }, async () => true);
  assert.equal(await right("u", "home"), true);
  assert.equal(await right("v", "stranger"), true);
  // Neither ends the stranger's wait.
  await assert.rejects(right("u", "stranger"), throttled(1));
});

test("addresses of one IPv6 network count as one", async () => {
  const { fail, begin, endAll } = setUp();
  for (let i = 0; i < 5; i++) await fail("u", `2001:db8::${i}`);
  await assert.rejects(fail("u", "2001:db8::9"), throttled(1));
  assert.equal(await fail("u", "2001:db8:0:1::9"), false);
  const all = Array.from({ length: 16 }, (_, i) =>
    begin(`u${i}`, `2001:db8::${i}`),
  );
  await assert.rejects(begin("v", "2001:db8::f:1"), throttled(1));
  await endAll();
  await Promise.all(all);
});

test("failures are forgotten after a success, and after 15 minutes", async () => {
  const { clock, fail, gate } = setUp();
  for (let i = 0; i < 4; i++) await fail("u", "a");
  await gate.run({ user: "u", address: "a" }, async () => true);
  for (let i = 0; i < 5; i++) assert.equal(await fail("u", "a"), false);
  await assert.rejects(fail("u", "a"), throttled(1));
  clock.advance(15 * 60_000);
  for (let i = 0; i < 5; i++) assert.equal(await fail("u", "a"), false);
});

test("a check that fails is no failure of the user's", async () => {
  const { gate } = setUp();
  for (let i = 0; i < 10; i++) {
    const check = gate.run({ user: "u", address: "a" }, async () => {
      throw new Error("no store");
    });
    await assert.rejects(check, /no store/);
  }
});
