import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  type Credentials,
  credentialsFileName,
  readCredentialsFile,
  writeCredentialsFile,
} from "./credentials-file.ts";

const credentials: Credentials = {
  url: "http://127.0.0.1:7070",
  region: "local",
  domain: "default",
  project: { id: "0f3c5d1e2a4b46788899aabbccddeeff", name: "default" },
  user: { name: "admin", password: "pass" },
  accessKey: "AK",
  secretKey: "SK",
  receiverSecret: "secret",
};

test("is read back as written, by its owner only", async (t) => {
  const folder = await temporaryFolder(t);
  await writeCredentialsFile(folder, credentials);
  assert.deepEqual(await readCredentialsFile(folder), credentials);
  const { mode } = await stat(join(folder, credentialsFileName));
  assert.equal(mode & 0o777, 0o600);
});

test("replaces an older file, also one that others could read", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, credentialsFileName);
  await writeFile(path, "{}");
  await chmod(path, 0o644);
  await writeCredentialsFile(folder, credentials);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), [credentialsFileName]);
});

test("leaves nothing behind when it cannot be written", async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(
    writeCredentialsFile(join(folder, "absent"), credentials),
  );
  assert.deepEqual(await readdir(folder), []);
});

test("answers undefined where there is none", async (t) => {
  assert.equal(await readCredentialsFile(await temporaryFolder(t)), undefined);
});

test("says so when it cannot be used", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, credentialsFileName);
  await writeFile(path, "{");
  await assert.rejects(readCredentialsFile(folder), /cannot be read/);
  await writeFile(path, '{"url":"http://127.0.0.1"}');
  await assert.rejects(readCredentialsFile(folder), /not hold all credentials/);
});

async function temporaryFolder(t: {
  after(run: () => Promise<void>): void;
}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-credentials-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
