import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { copyToLastLine } from "./log-content.ts";

test("a log that is shortened or removed meanwhile is read as it was", async (t) => {
  const { log, copy } = await setUp(t);
  for (const change of [() => truncate(log, 3), () => rm(log)]) {
    await writeFile(log, '{"n":1}\n{"n":2}\n{"cut');
    const found = await copyToLastLine(log, copy);
    await change();
    assert.equal(found?.bytes, 16);
    assert.equal(await text(found.content), '{"n":1}\n{"n":2}\n');
  }
});

test("a log that is not there, or has no whole line, is left out", async (t) => {
  const { log, copy } = await setUp(t);
  assert.equal(await copyToLastLine(log, copy), undefined);
  await writeFile(log, '{"cut');
  assert.equal(await copyToLastLine(log, copy), undefined);
});

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-log-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { log: join(folder, "log.jsonl"), copy: join(folder, "copy") };
}
