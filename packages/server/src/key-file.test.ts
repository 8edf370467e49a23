import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type LogFields, silentLogger } from "@carillon/core";
import {
  findKeyFile,
  keyFileName,
  makeKeyFile,
  readSharedKeyFile,
} from "./key-file.ts";

test("a key is made for its owner only, and found again", async (t) => {
  const folder = await temporaryFolder(t);
  assert.equal(await findKeyFile(folder), undefined);
  const made = await makeKeyFile(folder);
  assert.equal(made.length, 32);
  assert.deepEqual(await findKeyFile(folder), made);
  assert.equal((await stat(join(folder, keyFileName))).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), [keyFileName]);
});

test("starts at once agree on one key", async (t) => {
  const folder = await temporaryFolder(t);
  const keys = await Promise.all(
    Array.from({ length: 8 }, () => makeKeyFile(folder)),
  );
  const made = await findKeyFile(folder);
  for (const key of keys) assert.deepEqual(key, made);
});

test("a file that is no key is refused with a sentence, and stays", async (t) => {
  const folder = await temporaryFolder(t);
  const contents: readonly (readonly [Uint8Array, RegExp])[] = [
    [Buffer.from("short"), /holds 5 bytes instead of a key of 32, which are/],
    [Buffer.from(`${"k".repeat(32)}\n`), /holds 33 bytes .* line end: /],
    [Buffer.alloc(44, "QUJD"), /holds 44 bytes .* without encoding/],
    [Buffer.alloc(0), /is empty: /],
    [Buffer.alloc(32), /holds the same byte 32 times, which is no key: /],
  ];
  const path = join(folder, keyFileName);
  for (const [content, message] of contents) {
    await writeFile(path, content);
    const refused = { code: "STORAGE_UNUSABLE", message };
    await assert.rejects(findKeyFile(folder), refused);
    await assert.rejects(readSharedKeyFile(path, silentLogger), refused);
    assert.deepEqual(await readFile(path), Buffer.from(content));
  }
  await rm(path);
  await mkdir(path);
  await assert.rejects(findKeyFile(folder), {
    message: /is no file that could hold a key/,
  });
});

test("a shared key file that is not there is not made, and it is said how to", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "shared.key");
  await assert.rejects(readSharedKeyFile(path, silentLogger), {
    code: "STORAGE_UNUSABLE",
    message: /There is no secret key file .*openssl rand -out .*shared\.key 32/,
  });
  await assert.rejects(
    readSharedKeyFile(join(folder, "no", "a"), silentLogger),
    {
      message: /There is no secret key file/,
    },
  );
  assert.deepEqual(await readdir(folder), []);
});

test("a shared key file that this user may not read is refused", {
  skip: process.getuid?.() === 0 ? "root may read all files" : false,
}, async (t) => {
  const path = join(await temporaryFolder(t), "shared.key");
  await writeFile(path, randomBytes(32), { mode: 0o000 });
  await assert.rejects(readSharedKeyFile(path, silentLogger), {
    code: "STORAGE_UNUSABLE",
    message: /cannot be read \(EACCES\): let the user/,
  });
});

test("a shared key file that anybody may read is used with a warning", async (t) => {
  const path = join(await temporaryFolder(t), "shared.key");
  const key = randomBytes(32);
  await writeFile(path, key);
  const warnings: [string, LogFields | undefined][] = [];
  const logger = {
    ...silentLogger,
    warn: (event: string, fields?: LogFields) => {
      warnings.push([event, fields]);
    },
  };
  for (const mode of [0o600, 0o440, 0o400]) {
    await chmod(path, mode);
    assert.deepEqual(await readSharedKeyFile(path, logger), key);
  }
  assert.deepEqual(warnings, []);
  await chmod(path, 0o444);
  assert.deepEqual(await readSharedKeyFile(path, logger), key);
  assert.deepEqual(warnings, [
    ["secret_key_open_to_others", { file: path, mode: "0444" }],
  ]);
});

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-key-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
