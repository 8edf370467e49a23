import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readAtMost, readConfigText } from "./bounded-file.ts";

test("reads a file whole, up to a bound", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "carillon-file-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "x");
  const bytes = Buffer.alloc(200_000, "ab");
  writeFileSync(path, bytes);
  assert.deepEqual(readAtMost(path, 200_000), bytes);
  assert.equal(readAtMost(path, 199_999), undefined);
  assert.throws(() => readAtMost(join(folder, "y"), 1), { code: "ENOENT" });
});

test("does not read an endless file to its end", () => {
  assert.equal(readAtMost("/dev/zero", 1000), undefined);
  assert.throws(() => readConfigText("/dev/zero"), /larger than 16 MiB/);
});
