import assert from "node:assert/strict";
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  rmdir,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { LogFiles } from "./log-files.ts";

const topic = "0f".repeat(16);

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-logs-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "logs");
}

test("reads nothing where nothing was written", async (t) => {
  const files = new LogFiles({ folder: await newFolder(t) });
  const page = await files.read(topic, undefined, 10);
  assert.deepEqual(page, { lines: [], next: "1:0" });
  assert.deepEqual(await files.read(topic, page.next, 10), page);
});

test("pages through lines, and goes on as more come", async (t) => {
  const files = new LogFiles({ folder: await newFolder(t) });
  await files.append(topic, "eins\nzwölf\ndrei\n");
  await files.append("1f".repeat(16), "other\n");
  const first = await files.read(topic, undefined, 2);
  assert.deepEqual(first.lines, ["eins", "zwölf"]);
  const second = await files.read(topic, first.next, 2);
  assert.deepEqual(second.lines, ["drei"]);
  const end = await files.read(topic, second.next, 2);
  assert.deepEqual(end, { lines: [], next: second.next });
  await files.append(topic, "vier\n");
  assert.deepEqual((await files.read(topic, end.next, 2)).lines, ["vier"]);
});

test("begins a new file when one is full, and keeps the last few", async (t) => {
  const folder = await newFolder(t);
  const files = new LogFiles({ folder, maxBytes: 8, maxFiles: 2 });
  for (let n = 0; n < 10; n++) await files.append(topic, `${n}${n}\n`);
  assert.deepEqual((await readdir(folder)).sort(), [
    `${topic}-000004.jsonl`,
    `${topic}-000005.jsonl`,
  ]);
  const all = await files.read(topic, undefined, 100);
  assert.deepEqual(all.lines, ["66", "77", "88", "99"]);
  // A cursor into what is gone goes on with what is left.
  assert.deepEqual((await files.read(topic, "1:3", 1)).lines, ["66"]);
  const pages: string[] = [];
  let after: string | undefined;
  for (;;) {
    const { lines, next } = await files.read(topic, after, 1);
    if (lines.length === 0) break;
    pages.push(...lines);
    after = next;
  }
  assert.deepEqual(pages, all.lines);
});

test("a line that a crash cut off is left alone", async (t) => {
  const folder = await newFolder(t);
  await new LogFiles({ folder }).append(topic, "one\n");
  await appendFile(join(folder, `${topic}-000001.jsonl`), "tw");
  const files = new LogFiles({ folder });
  await files.append(topic, "three\n");
  const { lines, next } = await files.read(topic, undefined, 10);
  assert.deepEqual(lines, ["one", "three"]);
  assert.deepEqual((await files.read(topic, next, 10)).lines, []);
});

test("a line that a failed write cut off is left alone", async (t) => {
  const folder = await newFolder(t);
  const files = new LogFiles({ folder });
  await files.append(topic, "one\n");
  const path = join(folder, `${topic}-000001.jsonl`);
  await rename(path, `${path}.moved`);
  await mkdir(path);
  await assert.rejects(files.append(topic, "two\n"), { code: "EISDIR" });
  await rmdir(path);
  await rename(`${path}.moved`, path);
  await appendFile(path, "tw");
  await files.append(topic, "three\n");
  const { lines } = await files.read(topic, undefined, 10);
  assert.deepEqual(lines, ["one", "three"]);
});

test("reads more than a block", async (t) => {
  const files = new LogFiles({ folder: await newFolder(t) });
  const lines = Array.from({ length: 5000 }, (_, n) => `${n}`.padEnd(200, "x"));
  await files.append(topic, `${lines.join("\n")}\n`);
  assert.deepEqual((await files.read(topic, undefined, 9999)).lines, lines);
});
