import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type LogFields, silentLogger } from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { MemoryStore } from "@carillon/testing";
import { loadConfig } from "./config.ts";
import { bootstrapSetting } from "./identity/bootstrap.ts";
import { openSecretKey, secretKeyCheckSetting } from "./secret-key.ts";
import { serve } from "./serve.ts";

const foreign = { code: "STORAGE_UNUSABLE", message: /is not the key of this/ };

/** A store, and as many nodes as wanted, each with a folder of its own. */
async function setUp(t: TestContext) {
  const store = new MemoryStore();
  const warnings: [string, LogFields | undefined][] = [];
  const logger = {
    ...silentLogger,
    warn: (event: string, fields?: LogFields) => {
      warnings.push([event, fields]);
    },
  };
  const folder = await temporaryFolder(t);
  const start = (node: { folder?: string; key?: Uint8Array } = {}) =>
    openSecretKey({
      store,
      logger,
      folder: node.folder ?? folder,
      shared: node.key && { file: "/keys/shared", key: node.key },
    });
  const check = async () =>
    (await store.findSetting(secretKeyCheckSetting))?.value;
  return { store, folder, start, check, warnings };
}

test("the first start makes a key, and keeps nothing that shows it", async (t) => {
  const { folder, start, check } = await setUp(t);
  const key = await start();
  assert.deepEqual(await readFile(join(folder, "secret.key")), key);
  const kept = Buffer.from((await check()) ?? "", "base64");
  assert.equal(kept.length, 32);
  assert.notDeepEqual(kept, key);
  assert.deepEqual(await start(), key);
});

test("nodes start with the same key, and not with another", async (t) => {
  const { folder, start, check } = await setUp(t);
  const key = randomBytes(32);
  assert.deepEqual(await start({ key }), key);
  assert.deepEqual(await start({ key }), key);
  const before = await check();
  await assert.rejects(start({ key: randomBytes(32) }), foreign);
  // None is made beside it.
  await assert.rejects(start(), {
    code: "STORAGE_UNUSABLE",
    message:
      /secret\.key is missing: .* --secret-key-file\. Nothing was changed/,
  });
  await writeFile(join(folder, "secret.key"), randomBytes(32));
  await assert.rejects(start(), foreign);
  assert.equal(await check(), before);
  assert.deepEqual(await readdir(folder), ["secret.key"]);
});

test("of nodes that start at once with different keys one key counts", async (t) => {
  const { start } = await setUp(t);
  const keys = Array.from({ length: 4 }, () => randomBytes(32));
  const started = await Promise.allSettled(keys.map((key) => start({ key })));
  const [winner, ...others] = started.flatMap((it) =>
    it.status === "fulfilled" ? [it.value] : [],
  );
  assert.ok(winner);
  assert.deepEqual(others, []);
  for (const it of started) {
    if (it.status === "rejected")
      assert.match(it.reason.message, /another node/);
  }
  assert.deepEqual(await start({ key: winner }), winner);
});

test("the folder's own key goes on when it is copied to all nodes", async (t) => {
  const { folder, start, warnings } = await setUp(t);
  const key = await start();
  assert.deepEqual(await start({ key }), key);
  assert.deepEqual(warnings, []);
  // Of the two it is the folder's that is right.
  await assert.rejects(start({ key: randomBytes(32) }), {
    message: /shared is not the key of this store, but .*secret\.key is: copy/,
  });
  const other = await temporaryFolder(t);
  await writeFile(join(other, "secret.key"), randomBytes(32));
  assert.deepEqual(await start({ folder: other, key }), key);
  assert.deepEqual(warnings, [
    [
      "secret_key_unused",
      { file: join(other, "secret.key"), used: "/keys/shared" },
    ],
  ]);
  await writeFile(join(folder, "secret.key"), "no key");
  assert.deepEqual(await start({ key }), key);
});

test("a store without a check value is one of the key that opens its secrets", async (t) => {
  const folder = await temporaryFolder(t);
  const data = join(folder, "data");
  const config = loadConfig({ flags: { data, port: 0 } });
  await (await serve(config)).close();
  const key = await readFile(join(data, "secret.key"));
  const { store, start, check } = await setUp(t);
  await using kept = await openSqliteStore({ folder: data });
  const { value = "" } = (await kept.findSetting(bootstrapSetting)) ?? {};
  await store.putSetting(bootstrapSetting, value, 0);
  await assert.rejects(start({ key: randomBytes(32) }), foreign);
  assert.equal(await check(), undefined);
  assert.deepEqual(await start({ key }), key);
  assert.notEqual(await check(), undefined);
});

test("a server starts with the file that is named, and makes nothing without it", async (t) => {
  const folder = await temporaryFolder(t);
  const data = join(folder, "data");
  const file = join(folder, "shared.key");
  const config = loadConfig({
    flags: { data, port: 0 },
    env: { CARILLON_SECRET_KEY_FILE: file },
  });
  await assert.rejects(serve(config), {
    message: /There is no secret key file/,
  });
  assert.deepEqual(await readdir(folder), []);
  const key = randomBytes(32);
  await writeFile(file, key, { mode: 0o400 });
  const first = await serve(config);
  assert.ok(first.credentials);
  await first.close();
  assert.ok(!(await readdir(data)).includes("secret.key"));
  assert.deepEqual(await readFile(file), key);

  await rename(file, join(folder, "moved.key"));
  await writeFile(file, randomBytes(32));
  await assert.rejects(serve(config), foreign);
  const own = loadConfig({ flags: { data, port: 0 } });
  await assert.rejects(serve(own), { message: /secret\.key is missing/ });
  assert.ok(!(await readdir(data)).includes("secret.key"));
  await rename(join(folder, "moved.key"), file);
  await (await serve(config)).close();
});

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-secret-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
