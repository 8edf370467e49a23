import assert from "node:assert/strict";
import { test } from "node:test";
import { type LogFields, silentLogger, toEpochMs } from "@carillon/core";
import { failing, ManualClock, MemoryStore } from "@carillon/testing";
import { createAuditLog } from "./audit-log.ts";

const ann = {
  userId: "u1",
  userName: "ann",
  domainId: "d1",
  domainName: "acme",
  role: "admin",
} as const;
const request = { id: "r1", address: "192.0.2.1" };

function setUp(store = new MemoryStore()) {
  const clock = new ManualClock(toEpochMs(1000));
  const log = createAuditLog({ store, clock, logger: silentLogger });
  const list = async () =>
    (await store.listAuditEntries({}, { limit: 1000 })).map(
      ({ seq: _, ...entry }) => entry,
    );
  return { clock, log, list };
}

test("log-ins and changes are written at once", async () => {
  const { log, list } = setUp();
  await log.noteLogin(ann, request);
  const change = { action: "POST /api/v2/users", target: "/api/v2/users" };
  await log.noteChange(ann, change, request);
  const common = {
    at: 1000,
    count: 1,
    userId: "u1",
    userName: "ann",
    domainId: "d1",
    address: "192.0.2.1",
    requestId: "r1",
  };
  assert.deepEqual(await list(), [
    { ...common, ...change },
    { ...common, action: "login" },
  ]);
});

test("refused log-ins are counted, and written once a minute", async () => {
  const { clock, log, list } = setUp();
  for (let i = 0; i < 1000; i++) {
    log.noteRefusedLogin({ userName: "ann", domainId: "d1", address: "a" });
  }
  log.noteRefusedLogin({ userName: "bob", address: "a" });
  assert.deepEqual(await list(), []);
  await clock.advanceSettled(60_000);
  const action = "login_refused";
  assert.deepEqual(await list(), [
    { action, at: 1000, count: 1, userName: "bob", address: "a" },
    {
      action,
      at: 1000,
      count: 1000,
      userName: "ann",
      domainId: "d1",
      address: "a",
    },
  ]);
  await clock.advanceSettled(60_000);
  assert.equal((await list()).length, 2);
});

test("a flood of many names is few entries", async () => {
  const { log, list } = setUp();
  for (let i = 0; i < 5000; i++) {
    log.noteRefusedLogin({ userName: `u${i}`, address: "a" });
  }
  await log.flush();
  const entries = await list();
  assert.equal(entries.length, 21);
  assert.deepEqual(entries[0], {
    action: "login_refused",
    at: 1000,
    count: 4980,
  });
});

test("what is counted is written when it ends", async () => {
  const { log, list } = setUp();
  log.noteRefusedLogin({ userId: "u1", address: "a" });
  await log[Symbol.asyncDispose]();
  assert.equal((await list()).length, 1);
});

test("its end waits for what is being written", async () => {
  const store = new MemoryStore();
  const { addAuditEntry } = store;
  const held = Promise.withResolvers<void>();
  Object.assign(store, {
    async addAuditEntry(entry: Parameters<typeof addAuditEntry>[0]) {
      await held.promise;
      await addAuditEntry(entry);
    },
  });
  const { clock, log, list } = setUp(store);
  log.noteRefusedLogin({ userId: "u1", address: "a" });
  await clock.advanceSettled(60_000);
  const ended = log[Symbol.asyncDispose]();
  setImmediate(() => held.resolve());
  await ended;
  assert.equal((await list()).length, 1);
});

test("an entry that cannot be written is logged", async () => {
  const lines: [string, LogFields | undefined][] = [];
  const error = new Error("full");
  const log = createAuditLog({
    store: failing(new MemoryStore(), { addAuditEntry: { error } }),
    clock: new ManualClock(),
    logger: {
      ...silentLogger,
      error: (event, fields) => void lines.push([event, fields]),
    },
  });
  await log.noteLogin(ann, request);
  const [[event, fields] = []] = lines;
  assert.equal(event, "audit_entry_lost");
  assert.equal(fields?.error, error);
  assert.equal(fields?.userName, "ann");
});
