/** Refused log-ins of two processes on one store. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CarillonError,
  type CounterChange,
  type CounterStore,
  type LogFields,
  silentLogger,
} from "@carillon/core";
import { ManualClock, MemoryStore, seededRandom } from "@carillon/testing";
import { createKeyedHash } from "../keyed-hash.ts";
import { type LoginAccount, LoginFailures } from "./login-failures.ts";
import { createLoginGate } from "./login-gate.ts";
import { createHashLimit } from "./passwords.ts";

const second = 1000;
const minute = 60_000;

function setUp() {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const writes: CounterChange[] = [];
  const logged: string[] = [];
  let reads = 0;
  /** What the store fails with, while it does. */
  const failure: { error: CarillonError | undefined } = { error: undefined };
  const noted: CounterStore = {
    async changeCounters(rule, change) {
      writes.push(change);
      if (failure.error) throw failure.error;
      return await store.changeCounters(rule, change);
    },
    readCounters(kind, keys) {
      reads++;
      return store.readCounters(kind, keys);
    },
    removeEndedCounters: store.removeEndedCounters,
  };
  const log = (event: string, _fields?: LogFields) => logged.push(event);
  const open = () =>
    new LoginFailures({
      store: noted,
      clock,
      logger: { ...silentLogger, warn: log, error: log },
      hash: createKeyedHash(new Uint8Array(32), "refused-login"),
    });
  const process = () => {
    const failures = open();
    const gate = createLoginGate(createHashLimit(), failures);
    const attempt = (isRight: boolean, name: string, address: string) =>
      gate.run(
        { name, domain: "d", foundIn: "d", address },
        async () => isRight,
      );
    return {
      failures,
      fail: (name = "ann", address = "192.0.2.1") =>
        attempt(false, name, address),
      succeed: (name = "ann", address = "192.0.2.1") =>
        attempt(true, name, address),
    };
  };
  return {
    clock,
    store,
    writes,
    logged,
    failure,
    open,
    process,
    reads: () => reads,
    /** What was counted is written. */
    settle: () => clock.advanceSettled(second),
  };
}

const throttled = (retryAfterSeconds: number) => ({
  code: "LOGIN_THROTTLED",
  retryAfterSeconds,
});

test("failures of two processes count together", async () => {
  const { process, clock, settle } = setUp();
  const [one, other] = [process(), process()];
  for (let n = 0; n < 3; n++) assert.equal(await one.fail(), false);
  await settle();
  for (let n = 0; n < 2; n++) assert.equal(await other.fail(), false);
  await assert.rejects(other.succeed(), throttled(1));
  // A second has passed by then, which is all that the first wait lasts.
  await settle();
  assert.equal(await one.fail(), false);
  await assert.rejects(one.fail(), throttled(2));
  await settle();
  await assert.rejects(other.fail(), throttled(1));
  clock.advance(second);
  assert.equal(await other.succeed(), true);
  // Other addresses are not affected.
  assert.equal(await one.fail("ann", "192.0.2.2"), false);
});

test("a wait ends when it would have in one process", async () => {
  const { process, clock } = setUp();
  const [one, other] = [process(), process()];
  for (let n = 0; n < 5; n++) await one.fail();
  await clock.advanceSettled(1400);
  await one.fail();
  await clock.advanceSettled(1999);
  await assert.rejects(other.fail(), throttled(1));
  await clock.advanceSettled(1);
  assert.equal(await other.fail(), false);
});

test("a restart forgets nothing", async () => {
  const { process } = setUp();
  const before = process();
  for (let n = 0; n < 5; n++) await before.fail();
  await before.failures[Symbol.asyncDispose]();
  const after = process();
  await assert.rejects(after.fail(), throttled(1));
});

test("a right password begins anew for all processes", async () => {
  const { process, clock, settle } = setUp();
  const [one, other] = [process(), process()];
  for (let n = 0; n < 4; n++) await one.fail();
  await settle();
  assert.equal(await other.succeed(), true);
  await settle();
  for (let n = 0; n < 5; n++) assert.equal(await one.fail(), false);
  await assert.rejects(one.fail(), throttled(1));
  clock.advance(15 * minute);
  assert.equal(await other.fail(), false);
});

test("a right password costs one read and no write", async () => {
  const { process, writes, reads, settle } = setUp();
  const { succeed } = process();
  for (let n = 0; n < 10; n++) assert.equal(await succeed(), true);
  await settle();
  assert.deepEqual([reads(), writes.length], [10, 0]);
});

test("many failures are one write a second", async () => {
  const { process, writes, settle, clock } = setUp();
  const { fail, failures } = process();
  for (let n = 0; n < 200; n++) await fail(`u${n}`);
  assert.equal(writes.length, 0);
  await clock.advanceSettled(999);
  assert.equal(writes.length, 0);
  await clock.advanceSettled(1);
  assert.deepEqual(
    writes.map(({ added }) => added.length),
    [400],
  );
  for (let n = 0; n < 400; n++) await fail(`v${n}`);
  await settle();
  await settle();
  await settle();
  assert.deepEqual(
    writes.map(({ added }) => added.length),
    [400, 500, 300],
  );
  await failures[Symbol.asyncDispose]();
  assert.equal(writes.length, 3);
});

test("who has to wait costs the store nothing", async () => {
  const { process, writes, reads, settle } = setUp();
  const { fail } = process();
  for (let n = 0; n < 6; n++) await fail().catch(() => {});
  await settle();
  await fail();
  await settle();
  const before = [reads(), writes.length];
  for (let n = 0; n < 100; n++) await assert.rejects(fail(), throttled(1));
  await settle();
  assert.deepEqual([reads(), writes.length], before);
});

test("nothing written shows a name, a domain or an address", async () => {
  const { process, writes, settle } = setUp();
  const { fail, succeed } = process();
  await fail("somebody", "192.0.2.77");
  await settle();
  await succeed("somebody", "192.0.2.77");
  await settle();
  assert.equal(writes.length, 2);
  for (const { removed = [], added } of writes) {
    const keys = [...removed, ...added.map(({ key }) => key)];
    assert.ok(keys.length > 0);
    for (const key of keys) assert.match(key, /^[\w-]{43}$/);
  }
});

test("what cannot be written counts here, and is written later", async () => {
  const { process, writes, failure, logged, settle } = setUp();
  const [one, other] = [process(), process()];
  failure.error = new CarillonError("STORAGE_FULL");
  for (let n = 0; n < 3; n++) await one.fail();
  for (let n = 0; n < 5; n++) await settle();
  for (let n = 0; n < 2; n++) await one.fail();
  await assert.rejects(one.fail(), throttled(1));
  assert.ok(writes.length >= 4);
  assert.deepEqual(logged, ["login_failures_not_kept"]);
  failure.error = undefined;
  await settle();
  await one.fail();
  await settle();
  await assert.rejects(other.fail(), throttled(1));
});

test("a count that begins anew while it is written stays at nothing", async () => {
  const { open, store, clock } = setUp();
  const held = Promise.withResolvers<void>();
  const hash = createKeyedHash(new Uint8Array(32), "refused-login");
  const one = new LoginFailures({
    clock,
    logger: silentLogger,
    hash,
    store: {
      readCounters: store.readCounters,
      removeEndedCounters: store.removeEndedCounters,
      async changeCounters(...args) {
        await held.promise;
        return await store.changeCounters(...args);
      },
    },
  });
  const ann: LoginAccount = { name: "ann", domain: "d", network: "n" };
  for (let n = 0; n < 6; n++) one.add(ann);
  await clock.advanceSettled(second);
  one.forget(ann);
  one.add(ann);
  held.resolve();
  await one[Symbol.asyncDispose]();
  const other = open();
  await other.load(ann, "d");
  assert.equal(other.waitMs(ann), 0);
  for (let n = 0; n < 4; n++) other.add(ann);
  assert.equal(other.waitMs(ann), second);
});

test("two processes know what one would, whatever happens where", async () => {
  const accounts: readonly LoginAccount[] = [
    { name: "ann", domain: "d", network: "n" },
    { name: "ann", domain: "e", network: "n" },
    { name: "ann", domain: undefined, network: "n" },
    { name: "bob", domain: "d", network: "n" },
  ];
  for (let seed = 1; seed <= 12; seed++) {
    const random = seededRandom(seed);
    const pick = <Item>(items: readonly Item[]): Item =>
      items[Math.floor(random() * items.length)] as Item;
    const { open, clock } = setUp();
    const processes = [open(), open()];
    const model = new LoginFailures({
      store: new MemoryStore({ clock }),
      clock,
      logger: silentLogger,
      hash: createKeyedHash(new Uint8Array(32), "model"),
    });
    for (let step = 0; step < 60; step++) {
      const account = pick(accounts);
      const by = pick(processes);
      await by.load(account, account.domain ?? "d");
      if (random() < 0.8) {
        by.add(account);
        model.add(account);
      } else {
        const found = { ...account, domain: account.domain ?? "d" };
        by.forget(found);
        model.forget(found);
      }
      await clock.advanceSettled(pick([1000, 1000, 5000, 2 * minute]));
      for (const asked of accounts) {
        for (const process of processes) {
          await process.load(asked, "d");
          const [waitMs, expected] = [process, model].map((it) =>
            it.waitMs(asked),
          );
          assert.equal(waitMs, expected, `seed ${seed}, step ${step}`);
        }
      }
    }
  }
});
