/** Two processes on one store, at once: what one of them alone keeps holds. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CarillonError,
  ConcurrencyLimit,
  type ProjectId,
  type Store,
  silentLogger,
  toEpochMs,
  type User,
} from "@carillon/core";
import {
  interceptCalls,
  ManualClock,
  MemoryStore,
  seededRandom,
} from "@carillon/testing";
import { createIdentity } from "../identity.ts";
import { type Administration, createAdministration } from "./administration.ts";

/** Orders in which the calls of two processes take effect. */
const interleavings = 150;

const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
const otherProjectId = "fedcba9876543210fedcba9876543210" as ProjectId;

function user(name: string, changes: Partial<User> = {}): User {
  return {
    id: name,
    name,
    domainId: "d1",
    passwordHash: "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA",
    role: "operator",
    projectIds: [],
    ...changes,
  };
}

/** A store whose calls are each held up for some turns of the event loop. */
function heldUp(store: Store, random: () => number): Store {
  return interceptCalls(store, async (_, call) => {
    const turns = Math.floor(random() * 4);
    for (let turn = 0; turn < turns; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    return await call();
  });
}

function administrationOf(store: Store): Administration {
  const clock = new ManualClock();
  const hashes = new ConcurrencyLimit({ max: 2 });
  const key = new Uint8Array(32).fill(1);
  const ports = { store, clock, hashes, key };
  return createAdministration({
    ...ports,
    identity: createIdentity({ ...ports, logger: silentLogger }),
    newId: () => "0a".repeat(16),
    keys: { deleteProject: async () => {} },
    onChanged: async () => {},
  })({ kind: "all" });
}

/** Two operators, each of a domain of its own, each with a key in its project. */
async function setUp(random: () => number) {
  const store = new MemoryStore();
  await store.putDomain({ id: "d1", name: "one" });
  await store.putDomain({ id: "d2", name: "two" });
  await store.putProject({ id: projectId, name: "p", domainId: "d1" });
  await store.putProject({ id: otherProjectId, name: "p", domainId: "d2" });
  await store.putUser(user("ann"));
  await store.putUser(user("bob", { domainId: "d2" }));
  const key = { encryptedSecret: "c2VjcmV0", createdAt: toEpochMs(0) };
  await store.putAccessKey({
    ...key,
    accessKey: "AK1",
    userId: "ann",
    projectId,
  });
  await store.putAccessKey({
    ...key,
    accessKey: "AK2",
    userId: "bob",
    projectId: otherProjectId,
  });
  const [one, other] = [0, 1].map(() =>
    administrationOf(heldUp(store, random)),
  ) as [Administration, Administration];
  return { store, one, other };
}

/** Operators that work, and keys that work of theirs. */
async function whatIsLeft(store: Store) {
  const isOn = ({ disabled }: { disabled?: true }) => !disabled;
  const idsOf = (all: readonly { id: string; disabled?: true }[]) =>
    all.filter(isOn).map(({ id }) => id);
  const domains = idsOf(await store.listDomains());
  const projects = idsOf(await store.listProjects());
  const operators = (await store.listUsers())
    .filter((it) => isOn(it) && it.role === "operator")
    .filter(({ domainId }) => domains.includes(domainId))
    .map(({ id }) => id);
  const keys = (await store.listAccessKeys())
    .filter((it) => isOn(it) && operators.includes(it.userId))
    .filter((it) => projects.includes(it.projectId))
    .map(({ accessKey }) => accessKey);
  return { operators, keys };
}

type Change = (administration: Administration) => Promise<unknown>;

const endings: Readonly<Record<string, readonly [ann: Change, bob: Change]>> = {
  "is disabled": [
    ({ users }) => users.change("ann", { enabled: false }),
    ({ users }) => users.change("bob", { enabled: false }),
  ],
  "gets another role": [
    ({ users }) => users.change("ann", { role: "admin" }),
    ({ users }) => users.change("bob", { role: "member" }),
  ],
  "is deleted": [
    ({ users }) => users.delete("ann"),
    ({ users }) => users.delete("bob"),
  ],
  "has its domain disabled": [
    ({ domains }) => domains.setEnabled("d1", false),
    ({ domains }) => domains.setEnabled("d2", false),
  ],
  "has its project disabled": [
    ({ projects }) => projects.setEnabled(projectId, false),
    ({ projects }) => projects.setEnabled(otherProjectId, false),
  ],
  "has its project deleted": [
    ({ projects }) => projects.delete(projectId),
    ({ projects }) => projects.delete(otherProjectId),
  ],
  "has its key disabled": [
    ({ accessKeys }) => accessKeys.setEnabled("AK1", false),
    ({ accessKeys }) => accessKeys.setEnabled("AK2", false),
  ],
  "has its key deleted": [
    ({ accessKeys }) => accessKeys.delete("AK1"),
    ({ accessKeys }) => accessKeys.delete("AK2"),
  ],
};

for (const [what, [ofAnn]] of Object.entries(endings)) {
  test(`one operator remains: one ${what}, the other is ended at once`, async () => {
    let seed = 0;
    for (const [, ofBob] of Object.values(endings)) {
      for (let n = 0; n < interleavings; n++) {
        const { store, one, other } = await setUp(seededRandom(++seed));
        const ends = await Promise.allSettled([ofAnn(one), ofBob(other)]);
        const { operators, keys } = await whatIsLeft(store);
        assert.ok(operators.length > 0, `no operator, seed ${seed}`);
        assert.ok(keys.length > 0, `no key of an operator, seed ${seed}`);
        const refused = ends.filter(({ status }) => status === "rejected");
        assert.equal(refused.length, 1, `seed ${seed}`);
        const [{ reason }] = refused as [PromiseRejectedResult];
        assert.match(reason.code, /^LAST_OPERATOR(_KEY)?$/);
      }
    }
  });
}

test("changes of one user by two processes are both kept", async () => {
  for (let seed = 1; seed <= interleavings; seed++) {
    const { store, one, other } = await setUp(seededRandom(seed));
    await Promise.all([
      one.users.assign("ann", projectId),
      other.users.change("ann", { role: "admin" }),
    ]);
    const ann = await store.findUser("ann");
    assert.deepEqual([ann?.role, ann?.projectIds], ["admin", [projectId]]);
  }
});

test("nothing is made in a domain that another process deletes", async () => {
  for (let seed = 1; seed <= interleavings; seed++) {
    const { store, one, other } = await setUp(seededRandom(seed));
    await store.putDomain({ id: "d3", name: "three" });
    await Promise.allSettled([
      one.projects.create({ name: "new", domainId: "d3" }),
      other.domains.delete("d3"),
    ]);
    const projects = await store.listProjects();
    const isMade = projects.some(({ domainId }) => domainId === "d3");
    assert.equal(await store.findDomain("d3").then(Boolean), isMade);
  }
});

test("gives up when others change something all the time", async () => {
  const { store } = await setUp(seededRandom(1));
  let calls = 0;
  const busy = interceptCalls(store as Store, async (method, call) => {
    if (method !== "putDomain") return await call();
    calls++;
    throw new CarillonError("IDENTITY_CHANGED");
  });
  const { domains } = administrationOf(busy);
  await assert.rejects(domains.create({ name: "new" }), {
    code: "IDENTITY_CHANGED",
  });
  assert.equal(calls, 100);
});
