import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import {
  silentLogger,
  type TokenRecord,
  toEpochMs,
  type User,
} from "@carillon/core";
import { ManualClock, MemoryStore } from "@carillon/testing";
import { bootstrapIdentity } from "./bootstrap.ts";
import { createIdentity } from "./identity.ts";
import { createHashLimit } from "./passwords.ts";
import type { SignedRequest } from "./signature/canonical-request.ts";

const key = new Uint8Array(32).fill(3);
const presets = {
  region: "local",
  adminPassword: "secret",
  projectId: "0123456789abcdef0123456789abcdef",
  accessKey: "AKTEST",
  secretKey: "SKTEST",
};

async function setUp(store = new MemoryStore()) {
  const hashes = createHashLimit();
  const clock = new ManualClock(toEpochMs(Date.UTC(2026, 0, 15, 8, 30)));
  let ids = 0;
  const newId = () => String(++ids).padStart(32, "0");
  await bootstrapIdentity({ store, newId, clock, hashes, key }, presets);
  const identity = createIdentity({
    store,
    clock,
    hashes,
    logger: silentLogger,
    key,
  });
  const check = async (headers: SignedRequest["headers"], url = "/a") => {
    const result = await identity.authenticate({
      method: "GET",
      url,
      headers,
      body: Buffer.alloc(0),
    });
    return "principal" in result
      ? (result.principal.project?.id ?? "no project")
      : result.failure;
  };
  return { store, clock, identity, check };
}

/** Another each time: what fails before makes nothing wait. */
function address(): string {
  return `2001:db8:${randomBytes(2).toString("hex")}::1`;
}

function basic(pair: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function signed(
  date: string,
  secretKey = presets.secretKey,
  accessKey = "AKTEST",
) {
  const emptyHash = createHash("sha256").update("").digest("hex");
  const canonical = `GET\n/a/\n\nhost:h\nx-sdk-date:${date}\n\nhost;x-sdk-date\n${emptyHash}`;
  const digest = createHash("sha256").update(canonical).digest("hex");
  const signature = createHmac("sha256", secretKey)
    .update(`SDK-HMAC-SHA256\n${date}\n${digest}`)
    .digest("hex");
  return {
    host: "h",
    "x-sdk-date": date,
    authorization: `SDK-HMAC-SHA256 Access=${accessKey}, SignedHeaders=host;x-sdk-date, Signature=${signature}`,
  };
}

test("takes each kind of credentials", async () => {
  const { identity, check } = await setUp();
  const issued = await identity.login.withPassword({
    user: { name: "admin" },
    password: "secret",
    scope: { kind: "default" },
    address: address(),
  });
  assert.ok(issued);
  const { token } = issued;
  for (const headers of [
    { "x-auth-token": token },
    { authorization: `Bearer ${token}` },
    { authorization: `bearer ${token}` },
    basic("AKTEST:SKTEST"),
    signed("20260115T083000Z"),
  ]) {
    assert.equal(await check(headers), presets.projectId);
  }
});

test("says why it takes nobody, but not who there is", async () => {
  const { check } = await setUp();
  const cases = [
    [{}, "missing"],
    [{ authorization: "" }, "missing"],
    [{ "x-auth-token": "x".repeat(43) }, "rejected"],
    [{ "x-auth-token": "short" }, "rejected"],
    [{ authorization: "Bearer " }, "rejected"],
    [{ authorization: "Digest x" }, "malformed"],
    [basic("nothing"), "malformed"],
    [basic(":SKTEST"), "malformed"],
    [basic("AKTEST:"), "rejected"],
    [basic("AKTEST:SKTEST2"), "rejected"],
    [basic("AKNONE:SKTEST"), "rejected"],
    [basic("AKNONE:no access key has this secret"), "rejected"],
    [{ authorization: "SDK-HMAC-SHA256 Access=AKTEST" }, "malformed"],
    [signed("20260115T083000Z", "wrong"), "rejected"],
    [signed("20260115T083000Z", "SKTEST", "AKNONE"), "rejected"],
    [
      signed("20260115T083000Z", "no access key has this secret", "AKNONE"),
      "rejected",
    ],
  ] as const;
  for (const [headers, failure] of cases) {
    assert.equal(await check(headers), failure, JSON.stringify(headers));
  }
});

test("takes signatures within 15 minutes of its clock", async () => {
  const { check } = await setUp();
  assert.equal(await check(signed("20260115T081500Z")), presets.projectId);
  assert.equal(await check(signed("20260115T084500Z")), presets.projectId);
  assert.equal(await check(signed("20260115T081459Z")), "clock_skew");
  assert.equal(await check(signed("20260115T084501Z")), "clock_skew");
  const { "x-sdk-date": _, ...without } = signed("20260115T083000Z");
  assert.equal(await check(without), "malformed");
});

test("a key pair that was seen once is checked without waiting", async () => {
  const { identity, check } = await setUp();
  const headers = basic("AKTEST:SKTEST");
  await check(headers);
  const again = identity.authenticate({
    method: "GET",
    url: "/",
    headers,
    body: Buffer.alloc(0),
  });
  assert.ok(!(again instanceof Promise));
});

test("a key deleted during its look-up is refused afterwards", async () => {
  const store = new MemoryStore();
  const { identity, check } = await setUp(store);
  const { findAccessKey } = store;
  for (const headers of [basic("AKTEST:SKTEST"), signed("20260115T083000Z")]) {
    const held = Promise.withResolvers<void>();
    const hasRead = Promise.withResolvers<void>();
    Object.assign(store, {
      async findAccessKey(accessKey: string) {
        const record = await findAccessKey(accessKey);
        hasRead.resolve();
        await held.promise;
        return record;
      },
    });
    const during = check(headers);
    await hasRead.promise;
    const record = await findAccessKey("AKTEST");
    assert.ok(record);
    await store.deleteAccessKey("AKTEST");
    identity.invalidate();
    held.resolve();
    assert.equal(await during, presets.projectId);
    assert.equal(await check(headers), "rejected");
    Object.assign(store, { findAccessKey });
    await store.putAccessKey(record);
  }
});

test("does not hand out the secret key", async () => {
  const { identity } = await setUp();
  for (const headers of [basic("AKTEST:SKTEST"), signed("20260115T083000Z")]) {
    const result = await identity.authenticate({
      method: "GET",
      url: "/a",
      headers,
      body: Buffer.alloc(0),
    });
    assert.doesNotMatch(JSON.stringify(result), /SKTEST/);
  }
});

test("logs in with a user's id or name, and a scope of its domain", async () => {
  const { identity, store } = await setUp();
  const { login } = identity;
  const [domain] = await store.listDomains();
  const admin = await store.findUserByName(domain?.id ?? "", "admin");
  await store.putDomain({ id: "d2", name: "other" });
  await store.putProject({
    id: "ffffffffffffffffffffffffffffffff" as never,
    name: "foreign",
    domainId: "d2",
  });
  const password = "secret";
  const own = { kind: "project", project: { id: presets.projectId } } as const;
  const attempts = [
    [{ id: admin?.id }, own, true],
    [{ name: "admin", domain: { id: domain?.id } }, own, true],
    [{ name: "admin", domain: { name: "other" } }, own, false],
    [{ name: "nobody" }, own, false],
    [{}, own, false],
    [
      { name: "admin" },
      {
        kind: "project",
        project: { name: "default", domain: { name: "default" } },
      },
      true,
    ],
    [
      { name: "admin" },
      { kind: "project", project: { name: "foreign" } },
      false,
    ],
    [{ name: "admin" }, { kind: "domain", domain: { name: "default" } }, true],
    // The operator acts in each domain.
    [{ name: "admin" }, { kind: "domain", domain: { name: "other" } }, true],
    [{ name: "admin" }, { kind: "domain", domain: { name: "none" } }, false],
    [{ name: "ADMIN" }, own, true],
    [{ name: "admin" }, { kind: "unscoped" }, true],
  ] as const;
  for (const [user, scope, expected] of attempts) {
    const issued = await login.withPassword({
      user,
      password,
      scope,
      address: address(),
    });
    assert.equal(issued !== undefined, expected, JSON.stringify([user, scope]));
  }
});

test("a token got with a token expires with it", async () => {
  const { identity, clock } = await setUp();
  const first = await identity.login.withPassword({
    user: { name: "admin" },
    password: "secret",
    scope: { kind: "unscoped" },
    address: address(),
  });
  clock.advance(3_600_000);
  const second = await identity.login.withToken({
    token: first?.token ?? "",
    scope: { kind: "default" },
  });
  assert.ok(second);
  assert.notEqual(second.token, first?.token);
  assert.equal(second.session.expiresAt, first?.session.expiresAt);
  assert.equal(second.session.principal.project?.id, presets.projectId);
});

test("tokens got one with another end when the first does", async () => {
  const { identity, clock } = await setUp();
  const { login, tokens } = identity;
  const scope = { kind: "default" } as const;
  const withPassword = async () => {
    const issued = await login.withPassword({
      user: { name: "admin" },
      password: "secret",
      scope,
      address: address(),
    });
    assert.ok(issued);
    return issued;
  };
  const { token: first, session } = await withPassword();
  const other = (await withPassword()).token;
  // However often, it does not last a moment longer.
  const chain = [first];
  for (let i = 0; i < 5; i++) {
    clock.advance(3_600_000);
    const next = await login.withToken({ token: chain.at(-1) ?? "", scope });
    assert.ok(next);
    assert.equal(next.session.expiresAt, session.expiresAt);
    chain.push(next.token);
  }
  // One of them ends alone, the first with all of them; all are cached.
  const isGood = async (token: string) =>
    (await tokens.find(token)) !== undefined;
  const good = () => Promise.all(chain.map(isGood));
  assert.deepEqual(
    await good(),
    chain.map(() => true),
  );
  await tokens.revoke(chain[2] ?? "");
  assert.deepEqual(await good(), [true, true, false, true, true, true]);
  await tokens.revoke(first);
  assert.deepEqual(
    await good(),
    chain.map(() => false),
  );
  assert.equal(await isGood(other), true);
  const last = { token: chain.at(-1) ?? "", scope };
  assert.equal(await login.withToken(last), undefined);
});

test("another password ends tokens that were got with tokens", async () => {
  const { identity, store } = await setUp();
  const [user] = await store.listUsers();
  assert.ok(user);
  const scope = { kind: "unscoped" } as const;
  const first = await identity.login.withPassword({
    user: { id: user.id },
    password: "secret",
    scope,
    address: address(),
  });
  const second = await identity.login.withToken({
    token: first?.token ?? "",
    scope,
  });
  assert.ok(second && (await identity.tokens.find(second.token)));
  await store.deleteTokens(user.id);
  identity.invalidate();
  assert.equal(await identity.tokens.find(second.token), undefined);
});

test("a log-in does not outlive a change of the password or the user", async () => {
  const changes = [
    async (store: MemoryStore, user: User) => {
      await store.putUser({ ...user, passwordHash: "another" });
      await store.deleteTokens(user.id);
    },
    async (store: MemoryStore, user: User) => {
      await store.putUser({ ...user, disabled: true });
      await store.deleteTokens(user.id);
    },
    async (store: MemoryStore, user: User) => {
      await store.deleteUser(user.id);
    },
  ];
  for (const kind of ["password", "token"] as const) {
    for (const change of changes) {
      const store = new MemoryStore();
      const { identity } = await setUp(store);
      const [user] = await store.listUsers();
      assert.ok(user);
      const { login } = identity;
      const scope = { kind: "unscoped" } as const;
      const withPassword = () =>
        login.withPassword({
          user: { name: "admin" },
          password: "secret",
          scope,
          address: address(),
        });
      const first = await withPassword();
      assert.ok(first);
      const { putToken } = store;
      let added: TokenRecord | undefined;
      Object.assign(store, {
        async putToken(token: TokenRecord, maxOfFirst: number) {
          await change(store, user);
          added = token;
          await putToken(token, maxOfFirst);
        },
      });
      const second =
        kind === "password"
          ? await withPassword()
          : await login.withToken({ token: first.token, scope });
      assert.equal(second, undefined);
      assert.ok(added);
      const principal = await identity.directory.toPrincipal(user.id, {});
      const isLeft = await store.findToken(added.hash);
      assert.ok(!principal || !isLeft);
    }
  }
});

test("failures of a user count together, however it is spelled", async () => {
  for (const name of ["admin", "nobody"]) {
    const { identity, store } = await setUp();
    await store.putDomain({ id: "d2", name: "other" });
    const domains = await store.listDomains();
    const domain = domains.find((one) => one.name === "default");
    const user = await store.findUserByName(domain?.id ?? "", name);
    const spellings = [
      { name, domain: { id: domain?.id } },
      { name, domain: { name: "default" } },
      { name, domain: { id: "default" } },
      { name, domain: { name: "Default" } },
      { name },
      { name: name.toUpperCase() },
      ...(user ? [{ id: user.id }] : []),
    ];
    const logIn = (reference: (typeof spellings)[number], from: string) =>
      identity.login.withPassword({
        user: reference,
        password: "wrong",
        scope: { kind: "unscoped" },
        address: from,
      });
    for (const spelling of spellings.slice(0, 5)) {
      assert.equal(await logIn(spelling, "192.0.2.1"), undefined);
    }
    for (const spelling of spellings) {
      await assert.rejects(
        logIn(spelling, "192.0.2.1"),
        { code: "LOGIN_THROTTLED" },
        JSON.stringify(spelling),
      );
    }
    // In another domain, or from another address, it is another one.
    const other = { name, domain: { id: "d2" } };
    assert.equal(await logIn(other, "192.0.2.1"), undefined);
    assert.equal(await logIn({ name }, "192.0.2.2"), undefined);
  }
});
