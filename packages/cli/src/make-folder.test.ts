import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CommandFailure } from "./command-failure.ts";
import { makeFolder } from "./make-folder.ts";

test("makes a folder with those above it, and leaves one that is there", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "make-folder-"));
  t.after(() => rm(root, { recursive: true }));
  const folder = join(root, "a", "b", "c");
  await makeFolder(folder);
  await makeFolder(folder);
  assert.ok((await stat(folder)).isDirectory());

  await writeFile(join(root, "file"), "");
  for (const [path, why] of [
    [join(root, "file"), /file is a file\.$/],
    [join(root, "file", "a"), /a part of the path is a file/],
    [join(root, "x".repeat(300)), /its name is too long/],
    [
      "/dev/null/x",
      /\/dev\/null\/x cannot be made: a part of the path is a file/,
    ],
    ["/proc/x/y", /cannot be made: (nothing can be made there|you may not)/],
  ] as const) {
    await assert.rejects(makeFolder(path), (error) => {
      assert.ok(error instanceof CommandFailure);
      assert.match(error.message, why);
      return true;
    });
  }
});
