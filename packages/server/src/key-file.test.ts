import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { keyFileName, readKeyFile } from "./key-file.ts";

test("a key is made once, for its owner only", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "carillon-key-"));
  t.after(() => rm(folder, { recursive: true }));
  const made = await readKeyFile(folder);
  assert.equal(made.length, 32);
  assert.deepEqual(await readKeyFile(folder), made);
  assert.equal((await stat(join(folder, keyFileName))).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), [keyFileName]);
});

test("two starts at once agree on one key", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "carillon-key-"));
  t.after(() => rm(folder, { recursive: true }));
  const keys = await Promise.all(
    Array.from({ length: 8 }, () => readKeyFile(folder)),
  );
  const made = await readKeyFile(folder);
  for (const key of keys) assert.deepEqual(key, made);
});

test("a file that is no key is refused with a message", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "carillon-key-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, keyFileName), "short");
  await assert.rejects(readKeyFile(folder), {
    code: "STORAGE_UNUSABLE",
    message: /5 bytes/,
  });
});
