import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "@carillon/core";
import { assertCost, ManualClock, MemoryStore } from "@carillon/testing";
import { createDirectory } from "./directory.ts";
import { createTokens, tokenLifetimeMs } from "./tokens.ts";

async function setUp() {
  const store = new MemoryStore();
  const clock = new ManualClock();
  await store.putDomain({ id: "d1", name: "default" });
  await store.putUser({
    id: "u1",
    name: "admin",
    domainId: "d1",
    passwordHash: "",
    role: "admin",
    projectIds: [],
  });
  const directory = createDirectory(store);
  const ports = { store, directory, clock, logger: silentLogger };
  return { store, clock, ports, tokens: createTokens(ports) };
}

const grant = { userId: "u1", methods: ["password"] };

test("a token is good for 24 hours", async () => {
  const { tokens, clock } = await setUp();
  const token = await tokens.issue(grant);
  assert.equal((await tokens.find(token))?.principal.userName, "admin");
  clock.advance(tokenLifetimeMs - 1);
  assert.equal((await tokens.find(token))?.principal.userName, "admin");
  clock.advance(1);
  assert.equal(await tokens.find(token), undefined);
});

test("the store never sees a token itself", async () => {
  const { store, tokens } = await setUp();
  const token = await tokens.issue(grant);
  assert.equal(await store.findToken(token), undefined);
});

test("a cached token is found without waiting", async () => {
  const { tokens } = await setUp();
  const token = await tokens.issue(grant);
  assert.ok(tokens.find(token) instanceof Promise);
  await tokens.find(token);
  assert.ok(!(tokens.find(token) instanceof Promise));
});

test("a revoked token is gone at once, on other nodes within a minute", async () => {
  const { tokens, ports, clock } = await setUp();
  const otherNode = createTokens(ports);
  const token = await tokens.issue(grant);
  await tokens.find(token);
  await otherNode.find(token);
  await tokens.revoke(token);
  assert.equal(await tokens.find(token), undefined);
  clock.advance(60_000);
  assert.equal(await otherNode.find(token), undefined);
});

test("a look-up that a revocation overtakes does not bring a token back", async () => {
  const { store, ports } = await setUp();
  const held: (() => void)[] = [];
  const tokens = createTokens({
    ...ports,
    store: {
      putToken: store.putToken,
      deleteToken: store.deleteToken,
      deleteExpiredTokens: store.deleteExpiredTokens,
      // Reads at once and answers late.
      async findToken(hash) {
        const record = await store.findToken(hash);
        await new Promise<void>((resolve) => held.push(resolve));
        return record;
      },
    },
  });
  const token = await tokens.issue(grant);
  const before = tokens.find(token);
  await until(() => held.length === 1);
  await tokens.revoke(token);
  const after = tokens.find(token);
  await until(() => held.length === 2);
  // The later look-up answers first.
  held[1]?.();
  assert.equal(await after, undefined);
  held[0]?.();
  await before;
  const later = tokens.find(token);
  assert.ok(later instanceof Promise, "the token was cached");
  await until(() => held.length === 3);
  held[2]?.();
  assert.equal(await later, undefined);
});

test("a token of a deleted user is not accepted", async () => {
  const { tokens } = await setUp();
  const token = await tokens.issue({ ...grant, userId: "nobody" });
  assert.equal(await tokens.find(token), undefined);
});

test("finds nothing for what is not a token", async () => {
  const { tokens } = await setUp();
  for (const text of ["", "x", "y".repeat(43), "z".repeat(10_000)]) {
    assert.equal(await tokens.find(text), undefined);
  }
});

test("expired tokens are removed while others are issued", async () => {
  const { tokens, store, clock } = await setUp();
  await tokens.issue(grant);
  clock.advance(tokenLifetimeMs + 1);
  await tokens.issue(grant);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await store.deleteExpiredTokens(clock.now()), 0);
});

test("a known token costs little more than its hash", async () => {
  const { tokens } = await setUp();
  const token = await tokens.issue(grant);
  await tokens.find(token);
  await assertCost(() => repeat(() => tokens.find(token)), {
    atMost: 10,
    timesThatOf: () => repeat(() => hash("sha256", token)),
  });
});

function repeat(work: () => unknown): void {
  for (let n = 0; n < 1000; n++) work();
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
