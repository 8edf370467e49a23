import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgressLine } from "./progress.ts";

test("a terminal has one line, written anew at most ten times a second", () => {
  const written: string[] = [];
  let now = 0;
  const line = createProgressLine(
    { isTTY: true, columns: 60, write: (text) => written.push(text) },
    () => now,
  );
  line.show("Copying", 0, 10);
  line.show("Copying", 1, 10);
  now = 100;
  line.show("Copying", 5, 10);
  line.show("Checking", 0, 0);
  line.clear();
  line.clear();
  assert.deepEqual(
    written.map((text) => text.replace("\r\x1b[K", "")),
    [
      `Copying [${" ".repeat(30)}]  0 %`,
      `Copying [${"#".repeat(15)}${" ".repeat(15)}] 50 %`,
      `Checking [${"#".repeat(30)}]100 %`,
      "",
    ],
  );
  for (const text of written) assert.ok(text.startsWith("\r\x1b[K"));
});

test("it stays within a narrow terminal, and is nothing elsewhere", () => {
  for (const columns of [10, 20, 40]) {
    const written: string[] = [];
    const write = (text: string) => written.push(text);
    createProgressLine({ isTTY: true, columns, write }).show("Unpacking", 1, 3);
    const shown = written.join("").replace("\r\x1b[K", "");
    assert.ok(shown.length < columns, shown);
    createProgressLine({ columns, write }).show("Unpacking", 2, 3);
    assert.equal(written.length, 1);
  }
});
