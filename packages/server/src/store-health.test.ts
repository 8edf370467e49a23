import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CarillonError,
  type LogFields,
  type Logger,
  type ProjectId,
  type Store,
  silentLogger,
} from "@carillon/core";
import { ManualClock, MemoryStore } from "@carillon/testing";
import { watchStore } from "./store-health.ts";

/** A store whose writes fail as the test says, and what is logged of it. */
function setUp() {
  const inner = new MemoryStore();
  const clock = new ManualClock();
  const state = { fails: undefined as Error | undefined, writes: 0 };
  const { putSetting, findSetting } = inner;
  Object.assign(inner, {
    async putSetting(name: string, value: string, replaces: number) {
      state.writes++;
      if (state.fails) throw state.fails;
      return await putSetting(name, value, replaces);
    },
    async findSetting(name: string) {
      if (state.fails) throw state.fails;
      return await findSetting(name);
    },
  });
  const events: string[] = [];
  const note = (event: string, _fields?: LogFields) => {
    events.push(event);
  };
  const logger: Logger = {
    debug: note,
    info: note,
    warn: note,
    error: note,
    child: () => logger,
  };
  const health = watchStore({ store: inner, clock, logger });
  const write = () => health.store.putSetting("a", "b", 0).catch(() => {});
  return { health, inner, clock, state, events, write };
}

const full = new CarillonError("STORAGE_FULL");

test("fails with the first write that fails, and says so once", async () => {
  const { health, state, events, write } = setUp();
  await write();
  assert.equal(health.failure(), undefined);
  state.fails = full;
  for (let n = 0; n < 5; n++) await write();
  assert.equal(health.failure(), full);
  assert.deepEqual(events, ["storage_failing"]);
});

test("recovers by itself once the store can write, and says so", async () => {
  const { health, clock, inner, state, events, write } = setUp();
  state.fails = full;
  await write();
  await clock.advanceSettled(5000);
  assert.equal(health.failure(), full);
  state.fails = undefined;
  await clock.advanceSettled(1000);
  assert.equal(health.failure(), undefined);
  assert.deepEqual(events, ["storage_failing", "storage_recovered"]);
  assert.equal((await inner.findSetting("storage.probe"))?.value, "");
});

test("writes nothing of its own while all is well, or after closing", async () => {
  const { health, clock, state, write } = setUp();
  await write();
  await clock.advanceSettled(60_000);
  assert.equal(state.writes, 1);
  state.fails = full;
  await write();
  health[Symbol.dispose]();
  await clock.advanceSettled(60_000);
  assert.equal(state.writes, 2);
});

test("what is refused for good, or only read, says nothing", async () => {
  const { health, state, write } = setUp();
  state.fails = new CarillonError("STORAGE_REFUSED");
  await write();
  assert.equal(health.failure(), undefined);
  state.fails = full;
  await assert.rejects(health.store.findSetting("a"), { code: "STORAGE_FULL" });
  assert.equal(health.failure(), undefined);
});

test("no read of a store says anything of its writes, whatever it is called", async () => {
  const { health, inner } = setUp();
  const fail = async () => {
    throw full;
  };
  Object.assign(inner, { nextDue: fail, isDeletedProject: fail });
  const projectId = "1".repeat(32) as ProjectId;
  await assert.rejects(health.store.nextDue(), full);
  await assert.rejects(health.store.isDeletedProject(projectId), full);
  assert.equal(health.failure(), undefined);
});

test("writes of a store are observed wherever its methods stand", async () => {
  const inner = new MemoryStore();
  class Base {
    readonly #error = full;

    get exclusive() {
      return this.#error === full;
    }

    async deleteToken() {
      throw this.#error;
    }
  }
  class Derived extends Base {
    readonly #value = "b";

    async findSetting() {
      return { value: this.#value, version: 1 };
    }
  }
  // The other methods stand nowhere else than in its prototype.
  Object.setPrototypeOf(Base.prototype, inner);
  for (const store of [
    new Derived() as Derived & Store,
    Object.freeze({
      ...inner,
      deleteToken: async () => {
        throw full;
      },
      findSetting: async () => ({ value: "b", version: 1 }),
    }),
  ]) {
    const clock = new ManualClock();
    const health = watchStore({ store, clock, logger: silentLogger });
    assert.equal(health.store.exclusive, true);
    assert.equal((await health.store.findSetting("a"))?.value, "b");
    await health.store.deleteUser("nobody");
    assert.equal(health.failure(), undefined);
    await assert.rejects(health.store.deleteToken("t"), full);
    assert.equal(health.failure(), full);
    health[Symbol.dispose]();
  }
});

test("a failed write rejects for its caller as before", async () => {
  const { health, state } = setUp();
  state.fails = full;
  await assert.rejects(health.store.putSetting("a", "b", 0), {
    code: "STORAGE_FULL",
  });
});
