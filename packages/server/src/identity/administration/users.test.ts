/** What setting passwords costs, on the real parts over a store in memory. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { ConcurrencyLimit, silentLogger } from "@carillon/core";
import { ManualClock, MemoryStore } from "@carillon/testing";
import { createIdentity } from "../identity.ts";
import { createAdministration } from "./administration.ts";

/** The limit of hashes, which counts them. */
class CountedLimit extends ConcurrencyLimit {
  hashes = 0;
  most = 0;

  override async acquire(
    ...args: Parameters<ConcurrencyLimit["acquire"]>
  ): Promise<void> {
    await super.acquire(...args);
    this.hashes++;
    this.most = Math.max(this.most, this.running);
  }
}

async function setUp() {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const hashes = new CountedLimit({ max: 2 });
  const key = new Uint8Array(32).fill(1);
  const identity = createIdentity({
    store,
    clock,
    logger: silentLogger,
    hashes,
    key,
  });
  const within = createAdministration({
    store,
    identity,
    clock,
    newId: () => randomBytes(16).toString("hex"),
    hashes,
    keys: { deleteProject: async () => {} },
    key,
    onChanged: async () => {},
  });
  await store.putDomain({ id: "d1", name: "default" });
  const { users } = within({ kind: "all" });
  const { user: operator } = await users.create({
    name: "root",
    domainId: "d1",
    role: "operator",
    projectIds: [],
  });
  hashes.hashes = 0;
  return { users, within, hashes, operator };
}

const password = "correct horse";

function newUser(change: object = {}) {
  return {
    name: "ann",
    domainId: "d1",
    role: "member" as const,
    projectIds: [],
    password,
    ...change,
  };
}

test("passwords are hashed in the places of log-ins", async () => {
  const { users, hashes } = await setUp();
  await hashes.acquire();
  await hashes.acquire();
  hashes.hashes = 0;
  const created = users.create(newUser());
  let isDone = false;
  void created.then(() => {
    isDone = true;
  });
  // The rest of it takes a few turns; a hash would take one of its own.
  for (let i = 0; i < 1000 && hashes.waiting === 0; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(hashes.waiting, 1);
  assert.equal(isDone, false);
  hashes.release();
  const { user } = await created;
  await users.rotate(user.id, "another horse");
  await users.rotate(user.id);
  assert.equal(hashes.hashes, 3);
});

test("many changes at once are one hash at a time", async () => {
  const { users, hashes } = await setUp();
  await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      users.create(newUser({ name: `ann${i}` })),
    ),
  );
  assert.deepEqual([hashes.hashes, hashes.most], [8, 1]);
});

test("what is refused is not hashed", async () => {
  const { users, within, hashes, operator } = await setUp();
  const { user } = await users.create(newUser({ name: "bob" }));
  hashes.hashes = 0;
  const { users: elsewhere } = within({ kind: "domain", domainId: "d2" });
  const { users: ofAdmin } = within({ kind: "domain", domainId: "d1" });
  for (const [refused, code] of [
    [() => users.create(newUser({ name: "bob" })), "IDENTITY_EXISTS"],
    [() => users.create(newUser({ name: " " })), "IDENTITY_INVALID"],
    [() => users.create(newUser({ password: "short" })), "IDENTITY_INVALID"],
    [() => users.create(newUser({ domainId: "d9" })), "IDENTITY_INVALID"],
    [() => users.create(newUser({ projectIds: ["p"] })), "IDENTITY_INVALID"],
    [() => ofAdmin.create(newUser({ role: "operator" })), "PERMISSION_DENIED"],
    [() => elsewhere.create(newUser()), "IDENTITY_INVALID"],
    [() => users.rotate("none", password), "IDENTITY_NOT_FOUND"],
    [() => users.rotate(user.id, "short"), "IDENTITY_INVALID"],
    [() => elsewhere.rotate(user.id, password), "IDENTITY_NOT_FOUND"],
    [() => ofAdmin.rotate(operator.id, password), "PERMISSION_DENIED"],
  ] as const) {
    await assert.rejects(refused(), { code });
  }
  assert.equal(hashes.hashes, 0);
});
