import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "@carillon/core";
import { ManualClock, MemoryStore } from "@carillon/testing";
import { ConfigError } from "../config-error.ts";
import {
  type BootstrapOptions,
  bootstrapIdentity,
  type IdentityCredentials,
} from "./bootstrap.ts";
import { createIdentity } from "./identity.ts";
import { createHashLimit } from "./passwords.ts";

const key = new Uint8Array(32).fill(9);
const region = "local";
const stateSetting = "identity.bootstrap";
const hashes = createHashLimit();

function setUp() {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const notified: IdentityCredentials[] = [];
  const newId = () => randomBytes(16).toString("hex");
  const bootstrap = (options: Partial<BootstrapOptions> = {}) =>
    bootstrapIdentity(
      { store, newId, clock, hashes, key },
      { region, ...options },
    );
  /** With its credentials handed over. */
  const start = async (options: Partial<BootstrapOptions> = {}) => {
    const result = await bootstrap(options);
    const { created } = result;
    if (created) notified.push(created.credentials);
    await created?.confirm();
    return result;
  };
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
  return { store, notified, bootstrap, start, logsIn, keyWorks };
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
  const { projectId, receiverSecret } = await start();
  const ignoredPresets: string[] = [];
  const second = { projectId, receiverSecret, ignoredPresets };
  assert.deepEqual(await start(), second);
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

test("presets of a later start change nothing, and are named", async () => {
  const { store, start, logsIn, keyWorks, notified } = setUp();
  await start();
  const [first] = notified;
  assert.ok(first);
  const before = JSON.stringify([
    await store.listUsers(),
    await store.listProjects(),
    await store.listAccessKeys(),
  ]);
  const result = await start({
    accessKey: "AK2",
    secretKey: "SK2",
    adminPassword: "another",
    projectName: "another",
    projectId: "fedcba9876543210fedcba9876543210",
  });
  assert.deepEqual(result.ignoredPresets, [
    "adminPassword",
    "projectId",
    "projectName",
    "accessKey",
    "secretKey",
  ]);
  assert.equal(result.created, undefined);
  const after = JSON.stringify([
    await store.listUsers(),
    await store.listProjects(),
    await store.listAccessKeys(),
  ]);
  assert.equal(after, before);
  const { accessKey, secretKey, project, user } = first;
  assert.equal(await keyWorks(accessKey, secretKey), project.id);
  assert.equal(await keyWorks("AK2", "SK2"), false);
  assert.ok(await logsIn(user.password));
});

test("another region than at the first start is refused in one sentence", async () => {
  const { start } = setUp();
  await start();
  await assert.rejects(start({ region: "eu-1" }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /region: expected local, .* got eu-1: /);
    return true;
  });
  await start();
});

test("processes that start at once make one identity", async () => {
  const { store, bootstrap, keyWorks, logsIn } = setUp();
  const results = await Promise.all(
    Array.from({ length: 4 }, () => bootstrap()),
  );
  await Promise.all(results.map(({ created }) => created?.confirm()));
  const [first] = results;
  assert.ok(first?.created);
  const { credentials } = first.created;
  for (const { created, receiverSecret } of results) {
    assert.deepEqual(created?.credentials, credentials);
    assert.equal(receiverSecret, credentials.receiverSecret);
  }
  const { accessKey, secretKey, project, user } = credentials;
  assert.equal(await keyWorks(accessKey, secretKey), project.id);
  assert.equal((await logsIn(user.password))?.id, project.id);
  assert.equal((await store.listDomains()).length, 1);
  assert.equal((await store.listProjects()).length, 1);
  assert.equal((await store.listUsers()).length, 1);
  assert.equal((await store.listAccessKeys()).length, 1);
  const later = await bootstrap();
  assert.equal(later.created, undefined);
  assert.equal(later.receiverSecret, credentials.receiverSecret);
});

test("processes that are configured otherwise make one identity, too", async () => {
  const { bootstrap } = setUp();
  // As it is called: with the whole configuration.
  const configured = (port: number) => ({ projectName: "shop", port });
  const results = [
    await bootstrap(configured(1)),
    await bootstrap(configured(2)),
  ];
  for (const { created } of results) await created?.confirm();
  const [one, other] = results.map(({ created }) => created?.credentials);
  assert.ok(one);
  assert.deepEqual(other, one);
});

test("of processes that start at once with different presets one makes the identity", async () => {
  for (const confirmedFirst of [0, 1]) {
    const { store, bootstrap, keyWorks } = setUp();
    const results = await Promise.allSettled([
      bootstrap({ projectName: "one" }),
      bootstrap({ projectName: "two" }),
    ]);
    const order = confirmedFirst === 0 ? results : results.toReversed();
    const works: boolean[] = [];
    for (const result of order) {
      const created =
        result.status === "fulfilled" ? result.value.created : undefined;
      const confirmed = created?.confirm().then(
        () => true,
        () => false,
      );
      if (!(await confirmed) || !created) continue;
      const { accessKey, secretKey, project } = created.credentials;
      works.push((await keyWorks(accessKey, secretKey)) === project.id);
    }
    assert.deepEqual(works, [true]);
    assert.equal((await store.listProjects()).length, 1);
  }
});

test("what another process confirmed is not made anew", async () => {
  const { store, bootstrap, logsIn } = setUp();
  const [early, late] = [await bootstrap(), await bootstrap()];
  await early.created?.confirm();
  const version = (await store.findSetting(stateSetting))?.version;
  await late.created?.confirm();
  assert.equal((await store.findSetting(stateSetting))?.version, version);
  assert.ok(await logsIn(early.created?.credentials.user.password ?? ""));
});

test("a first start that failed leaves nothing that the next one does not replace", async () => {
  const { store, bootstrap, start, keyWorks, logsIn } = setUp();
  const failed = (await bootstrap({ projectName: "one" })).created?.credentials;
  assert.ok(failed);
  const { created } = await start({ adminPassword: "second" });
  assert.ok(created);
  const { accessKey, secretKey, project } = created.credentials;
  assert.equal(await keyWorks(failed.accessKey, failed.secretKey), false);
  assert.equal(await keyWorks(accessKey, secretKey), project.id);
  assert.equal((await logsIn("second"))?.id, project.id);
  assert.equal((await store.listDomains()).length, 1);
  assert.deepEqual(
    (await store.listProjects()).map(({ name }) => name),
    ["default"],
  );
  assert.equal((await store.listAccessKeys()).length, 1);
  assert.equal((await start()).created, undefined);
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
    },
    { region },
  );
  await assert.rejects(other, { code: "STORAGE_UNUSABLE" });
});
