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
const userCreate = {
  action: "user.create",
  target: "/api/v2/users",
  domainId: "d2",
} as const;
const attributeSet = {
  action: "topic-attribute.set",
  target: "/v2/p/notifications/topics/t/attributes/introduction",
  domainId: "d1",
  sets: '{"value":"Hello"}',
} as const;

function setUp(store = new MemoryStore()) {
  const clock = new ManualClock(toEpochMs(1000));
  const log = createAuditLog({ store, clock, logger: silentLogger });
  const list = async () =>
    (
      await store.listAuditEntries({}, { limit: 1000, maxScanned: 1000 })
    ).entries.map(({ seq: _, ...entry }) => entry);
  return { clock, log, list };
}

test("log-ins and changes are written at once", async () => {
  const { log, list } = setUp();
  await log.noteLogin(ann, request);
  await log.noteChange(ann, userCreate, request);
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
    {
      ...common,
      action: "user.create",
      target: "/api/v2/users",
      domainId: "d2",
    },
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

test("a change that is repeated is counted, and written once a minute", async () => {
  const { clock, log, list } = setUp();
  for (let i = 0; i < 1000; i++) {
    await log.noteChange(ann, attributeSet, { ...request, id: `r${i}` });
  }
  const [first, ...others] = await list();
  assert.deepEqual([first?.count, first?.requestId], [1, "r0"]);
  assert.deepEqual(others, []);
  await clock.advanceSettled(60_000);
  const [rest] = await list();
  assert.deepEqual([rest?.count, rest?.requestId], [999, "r999"]);
  await clock.advanceSettled(60_000);
  assert.equal((await list()).length, 2);
  await log.noteChange(ann, attributeSet, request);
  assert.equal((await list()).length, 3);
});

test("only what sets the same is counted together, with its last time", async () => {
  const { clock, log, list } = setUp();
  const change = (role: string) =>
    log.noteChange(
      ann,
      {
        action: "user.change",
        target: "/api/v2/users/u2",
        details: { role },
        domainId: "d1",
        sets: JSON.stringify({ role }),
      },
      request,
    );
  for (const role of ["admin", "member", "admin"]) {
    await change(role);
    await clock.advance(1000);
  }
  await log.noteChange(ann, { ...attributeSet, sets: "open" }, request);
  await clock.advance(1000);
  await log.noteChange(ann, { ...attributeSet, sets: "closed" }, request);
  await log.flush();
  assert.deepEqual(
    (await list()).map(({ at, action, details, count }) => [
      at,
      action,
      details?.role,
      count,
    ]),
    [
      [5000, "topic-attribute.set", undefined, 1],
      [4000, "topic-attribute.set", undefined, 1],
      [3000, "user.change", "admin", 1],
      [2000, "user.change", "member", 1],
      [1000, "user.change", "admin", 1],
    ],
  );
});

test("other changes are written one by one", async () => {
  const { log, list } = setUp();
  await log.noteChange(ann, attributeSet, request);
  await log.noteChange(ann, { ...attributeSet, target: "other" }, request);
  await log.noteChange({ ...ann, userId: "u2" }, attributeSet, request);
  await log.noteChange(ann, attributeSet, { ...request, address: "a2" });
  // As often as it is said: each makes another one.
  for (let i = 0; i < 3; i++) await log.noteChange(ann, userCreate, request);
  assert.equal((await list()).length, 7);
});

test("a flood in one domain hides no refused log-in of another", async () => {
  const { log, list } = setUp();
  for (let i = 0; i < 5000; i++) {
    log.noteRefusedLogin({ userName: `u${i}`, domainId: "d1", address: "a" });
    log.noteRefusedLogin({ userName: `u${i}`, address: "a" });
  }
  log.noteRefusedLogin({ userName: "ann", domainId: "d2", address: "b" });
  await log.flush();
  const entries = await list();
  assert.equal(entries.length, 21 + 21 + 1);
  assert.equal(entries[0]?.userName, "ann");
  const others = entries.filter(({ userName }) => userName === undefined);
  assert.deepEqual(
    others.map(({ domainId, count }) => [domainId, count]),
    [
      [undefined, 4980],
      ["d1", 4980],
    ],
  );
});

test("its end waits for refused log-ins that are being looked up", async () => {
  const { log, list } = setUp();
  const found = Promise.withResolvers<{ userId: string; address: string }>();
  log.noteRefusedLogin(found.promise);
  const ended = log[Symbol.asyncDispose]();
  setImmediate(() => found.resolve({ userId: "u1", address: "a" }));
  await ended;
  assert.deepEqual(
    (await list()).map(({ userId }) => userId),
    ["u1"],
  );
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
    async addAuditEntry(...args: Parameters<typeof addAuditEntry>) {
      await held.promise;
      await addAuditEntry(...args);
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
