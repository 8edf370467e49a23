import assert from "node:assert/strict";
import { chown, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { giveToFolderOwner } from "./folder-owner.ts";

const isRoot = process.getuid?.() === 0;

test("what root made in a service's folder is the service's", {
  skip: isRoot ? false : "only root can give files away",
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "carillon-owner-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "logs"));
  await writeFile(join(folder, "carillon.db"), "");
  await writeFile(join(folder, "logs", "topic.log"), "");
  await chown(folder, 1234, 1235);
  await giveToFolderOwner(folder);
  for (const name of ["carillon.db", "logs", "logs/topic.log"]) {
    const { uid, gid } = await stat(join(folder, name));
    assert.deepEqual([uid, gid], [1234, 1235], name);
  }
});
