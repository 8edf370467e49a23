import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "@carillon/core";
import { ManualClock, MemoryStore } from "@carillon/testing";
import {
  bootstrapIdentity,
  type IdentityCredentials,
  type IdentityPresets,
} from "./bootstrap.ts";
import { createIdentity } from "./identity.ts";
import { createHashLimit } from "./passwords.ts";

const key = new Uint8Array(32).fill(9);
const region = "local";
const hashes = createHashLimit();

function setUp() {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const notified: IdentityCredentials[] = [];
  const start = async (presets: Partial<IdentityPresets> = {}) =>
    await bootstrapIdentity(
      {
        store,
        newId: () => randomBytes(16).toString("hex"),
        clock,
        hashes,
        key,
        onCredentials: async (credentials) => void notified.push(credentials),
      },
      { region, ...presets },
    );
  const newIdentity = () =>
    createIdentity({ store, clock, hashes, logger: silentLogger, key });
  const logsIn = async (password: string) => {
    const issued = await newIdentity().login.withPassword({
      user: { name: "admin", domain: { name: "default" } },
      password,
      scope: { kind: "default" },
      address: "192.0.2.1",
    });
    return issued?.session.principal.project;
  };
  const keyWorks = async (accessKey: string, secretKey: string) => {
    const pair = Buffer.from(`${accessKey}:${secretKey}`).toString("base64");
    const result = await newIdentity().authenticate({
      method: "GET",
      url: "/",
      headers: { authorization: `Basic ${pair}` },
      body: Buffer.alloc(0),
    });
    return "principal" in result ? result.principal.project?.id : false;
  };
  return { store, notified, start, logsIn, keyWorks };
}

test("the first start makes all that is needed to log in", async () => {
  const { store, notified, start, logsIn, keyWorks } = setUp();
  const result = await start();
  const [credentials] = notified;
  assert.ok(credentials?.user.password);
  assert.equal(credentials.domain, "default");
  assert.equal(credentials.project.name, "default");
  assert.match(credentials.project.id, /^[0-9a-f]{32}$/);
  assert.match(credentials.receiverSecret, /^[\w-]{32}$/);
  assert.equal(result.receiverSecret, credentials.receiverSecret);
  assert.equal(
    (await logsIn(credentials.user.password))?.id,
    credentials.project.id,
  );
  const [admin] = await store.listUsers();
  assert.equal(admin?.role, "operator");
  const { accessKey, secretKey } = credentials;
  assert.equal(await keyWorks(accessKey, secretKey), credentials.project.id);
});

test("a second start changes nothing and hands over nothing", async () => {
  const { notified, start } = setUp();
  const first = await start();
  assert.deepEqual(await start(), first);
  assert.equal(notified.length, 1);
});

test("presets are used as they are", async () => {
  const { notified, start, logsIn, keyWorks } = setUp();
  const projectId = "0123456789abcdef0123456789abcdef";
  await start({
    adminPassword: "pa:ss wörd",
    projectId,
    projectName: "shop",
    accessKey: "AK1",
    secretKey: "SK1",
  });
  const project = await logsIn("pa:ss wörd");
  assert.deepEqual([project?.id, project?.name], [projectId, "shop"]);
  assert.equal(await keyWorks("AK1", "SK1"), projectId);
  assert.equal(notified[0]?.user.password, "pa:ss wörd");
});

test("another password preset replaces the password", async () => {
  const { notified, start, logsIn } = setUp();
  await start({ adminPassword: "one" });
  await start({ adminPassword: "two" });
  assert.equal(await logsIn("one"), undefined);
  assert.ok(await logsIn("two"));
  assert.equal(notified[1]?.user.password, "two");
  assert.equal(notified[1]?.secretKey, notified[0]?.secretKey);
  assert.equal(notified[1]?.receiverSecret, notified[0]?.receiverSecret);
});

test("a preset that stays does not undo a later change", async () => {
  const { store, start, logsIn } = setUp();
  await start({ adminPassword: "one" });
  const [domain] = await store.listDomains();
  const admin = await store.findUserByName(domain?.id ?? "", "admin");
  assert.ok(admin);
  await store.putUser({ ...admin, passwordHash: "changed elsewhere" });
  await start({ adminPassword: "one" });
  assert.equal(await logsIn("one"), undefined);
});

test("a preset that is taken away changes nothing", async () => {
  const { notified, start, logsIn } = setUp();
  await start({ adminPassword: "one", accessKey: "AK", secretKey: "SK" });
  await start();
  assert.equal(notified.length, 1);
  assert.ok(await logsIn("one"));
});

test("another key pair takes the place of the first", async () => {
  const { notified, start, keyWorks } = setUp();
  await start();
  const [first] = notified;
  assert.ok(first);
  await start({ accessKey: "AK2", secretKey: "SK2" });
  assert.equal(await keyWorks("AK2", "SK2"), first.project.id);
  assert.equal(await keyWorks(first.accessKey, first.secretKey), false);
  assert.equal(notified[1]?.user.password, undefined);
});

test("another secret of the same access key takes its place", async () => {
  const { start, keyWorks } = setUp();
  await start({ accessKey: "AK", secretKey: "one" });
  const projectId = await keyWorks("AK", "one");
  await start({ accessKey: "AK", secretKey: "two" });
  assert.equal(await keyWorks("AK", "one"), false);
  assert.equal(await keyWorks("AK", "two"), projectId);
});

test("another project name renames the project", async () => {
  const { store, notified, start } = setUp();
  await start({ projectName: "one" });
  await start({ projectName: "two" });
  assert.equal(notified[1]?.project.id, notified[0]?.project.id);
  const projects = await store.listProjects();
  assert.deepEqual(
    projects.map(({ name }) => name),
    ["two"],
  );
});

test("another project id makes another project and keeps the first", async () => {
  const { store, notified, start, keyWorks } = setUp();
  await start({ projectName: "default" });
  const [first] = notified;
  assert.ok(first);
  const projectId = "fedcba9876543210fedcba9876543210";
  await start({ projectName: "default", projectId });
  const names = Object.fromEntries(
    (await store.listProjects()).map(({ id, name }) => [id, name]),
  );
  assert.deepEqual(names, {
    [first.project.id]: `default-${first.project.id}`,
    [projectId]: "default",
  });
  assert.equal(await keyWorks(first.accessKey, first.secretKey), projectId);
});

test("credentials that could not be handed over are made anew", async () => {
  const { store, notified, start, logsIn } = setUp();
  const failing = bootstrapIdentity(
    {
      store,
      newId: () => randomBytes(16).toString("hex"),
      clock: new ManualClock(),
      hashes,
      key,
      onCredentials: async () => {
        throw new Error("disk full");
      },
    },
    { region },
  );
  await assert.rejects(failing, /disk full/);
  await start();
  const [credentials] = notified;
  assert.ok(await logsIn(credentials?.user.password ?? ""));
  assert.equal((await store.listDomains()).length, 1);
  assert.equal((await store.listProjects()).length, 1);
});

test("says so when the key file is not the store's", async () => {
  const { store, start } = setUp();
  await start();
  const other = bootstrapIdentity(
    {
      store,
      newId: () => "",
      clock: new ManualClock(),
      hashes,
      key: new Uint8Array(32).fill(1),
      onCredentials: async () => {},
    },
    { region },
  );
  await assert.rejects(other, { code: "STORAGE_UNUSABLE" });
});
