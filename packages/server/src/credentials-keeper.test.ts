import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type LogFields, type Logger, silentLogger } from "@carillon/core";
import { ManualClock, MemoryStore } from "@carillon/testing";
import {
  type Credentials,
  readCredentialsFile,
  writeCredentialsFile,
} from "./credentials-file.ts";
import {
  createCredentialsKeeper,
  type ServerAddress,
} from "./credentials-keeper.ts";
import { secretKeyPurpose } from "./identity/access-keys.ts";
import { bootstrapIdentity } from "./identity/bootstrap.ts";
import { createHashLimit } from "./identity/passwords.ts";
import { createSecretBox } from "./identity/secret-box.ts";

const key = new Uint8Array(32).fill(5);
const local = "http://127.0.0.1:7070";

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-keeper-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const store = new MemoryStore();
  let ids = 0;
  const { created } = await bootstrapIdentity(
    {
      store,
      newId: () => `id-${++ids}`,
      clock: new ManualClock(),
      hashes: createHashLimit(),
      key,
    },
    { region: "local" },
  );
  assert.ok(created);
  const written: Credentials = { url: local, ...created.credentials };
  await writeCredentialsFile(folder, written);
  const errors: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    error: (event: string, _fields?: LogFields) => void errors.push(event),
  };
  let address: ServerAddress = { url: local };
  const keeper = createCredentialsKeeper({
    folder,
    store,
    key,
    logger,
    address: () => address,
  });
  await keeper.refresh();
  const record = await store.findAccessKey(created.credentials.accessKey);
  const [admin] = await store.listUsers();
  assert.ok(record && admin);
  return {
    folder,
    store,
    keeper,
    written,
    record,
    admin,
    errors,
    moveTo: (next: ServerAddress) => {
      address = next;
    },
    read: () => readCredentialsFile(folder),
  };
}

test("leaves the file alone while it is true", async (t) => {
  const { folder, keeper, written, read } = await setUp(t);
  const before = await stat(join(folder, "credentials.json"));
  await keeper.refresh();
  const after = await stat(join(folder, "credentials.json"));
  assert.equal(after.ino, before.ino);
  assert.deepEqual(await read(), written);
});

test("follows the address, the local one and the public one", async (t) => {
  const { keeper, written, read, moveTo } = await setUp(t);
  const publicUrl = "https://notify.example.com";
  moveTo({ url: "http://127.0.0.1:1", publicUrl });
  await keeper.refresh();
  const moved = { ...written, url: "http://127.0.0.1:1" };
  assert.deepEqual(await read(), { ...moved, publicUrl });
  moveTo({ url: "http://127.0.0.1:1" });
  await keeper.refresh();
  assert.deepEqual(await read(), moved);
});

test("follows another secret of its access key", async (t) => {
  const { store, keeper, written, record, read } = await setUp(t);
  await store.putAccessKey({
    ...record,
    encryptedSecret: createSecretBox(key).seal(
      "another",
      secretKeyPurpose(record.accessKey),
    ),
  });
  await keeper.refresh();
  assert.deepEqual(await read(), { ...written, secretKey: "another" });
});

test("holds no secret of a key that is disabled, and has it back later", async (t) => {
  const { store, keeper, written, record, read } = await setUp(t);
  await store.putAccessKey({ ...record, disabled: true });
  await keeper.refresh();
  const { secretKey: _, ...without } = written;
  assert.deepEqual(await read(), without);
  await store.putAccessKey(record);
  await keeper.refresh();
  assert.deepEqual(await read(), written);
});

test("holds no key that was deleted", async (t) => {
  const { store, keeper, written, record, read } = await setUp(t);
  await store.deleteAccessKey(record.accessKey);
  await keeper.refresh();
  const { accessKey: _, secretKey: __, ...without } = written;
  assert.deepEqual(await read(), without);
});

test("holds no password that was changed, or whose user is gone", async (t) => {
  const { store, keeper, written, admin, read } = await setUp(t);
  await store.putUser({ ...admin, disabled: true });
  await keeper.refresh();
  assert.deepEqual(await read(), written);
  await store.putUser({ ...admin, passwordHash: "another" });
  await keeper.refresh();
  assert.deepEqual(await read(), { ...written, user: { name: "admin" } });
  await keeper.refresh();
  assert.deepEqual((await read())?.user, { name: "admin" });
});

test("a password that was changed goes with the first write that succeeds", async (t) => {
  const { store, keeper, admin, errors, read } = await setUp(t);
  await store.putUser({ ...admin, passwordHash: "another" });
  const { findAccessKey } = store;
  // A failure after the user was looked up.
  store.findAccessKey = async () => {
    throw new Error("broken");
  };
  await keeper.refresh();
  assert.equal(errors.length, 1);
  store.findAccessKey = findAccessKey;
  await keeper.refresh();
  assert.deepEqual((await read())?.user, { name: "admin" });
});

test("a password that was changed while no server ran is gone at the start", async (t) => {
  const { folder, store, admin, written, read } = await setUp(t);
  await store.putUser({ ...admin, passwordHash: "another" });
  const next = createCredentialsKeeper({
    folder,
    store,
    key,
    logger: silentLogger,
    address: () => ({ url: local }),
  });
  await next.refresh();
  assert.deepEqual(await read(), { ...written, user: { name: "admin" } });
});

test("a file that cannot be used is logged", async (t) => {
  const { folder, keeper, errors } = await setUp(t);
  await writeFile(join(folder, "credentials.json"), "{");
  await keeper.refresh();
  assert.deepEqual(errors, ["credentials_file_not_updated"]);
});

test("makes no file that the owner deleted", async (t) => {
  const { folder, keeper } = await setUp(t);
  await rm(join(folder, "credentials.json"));
  await keeper.refresh();
  assert.deepEqual(await readdir(folder), []);
});

test("a failure is logged and is none of who changed something", async (t) => {
  const { store, keeper, errors } = await setUp(t);
  store.listDomains = async () => {
    throw new Error("broken");
  };
  await keeper.refresh();
  assert.deepEqual(errors, ["credentials_file_not_updated"]);
});
