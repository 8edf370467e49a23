/** The README lists what there is, and nothing else. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { connect, errorCodes, Publisher, Subscriber } from "./index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

const { smn, carillon } = connect({
  endpoint: "https://smn.example",
  projectId: "p",
  token: "t",
});

/** The rows of the tables below a heading, each as its cells. */
function rowsBelow(heading: string): string[][] {
  const [, section = ""] = readme.split(`\n## ${heading}\n`);
  const [text = ""] = section.split("\n## ");
  return [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row = ""]) =>
    row.split(" | ").map((cell) => cell.trim()),
  );
}

/** What stands in code spans. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}

test("lists every operation of SMN", () => {
  const listed = rowsBelow("Operations").flatMap(([, cell = ""]) =>
    namesIn(cell),
  );
  assert.deepEqual(listed.toSorted(), Object.keys(smn).toSorted());
});

test("lists every operation beyond SMN, each with what it belongs to", () => {
  const listed = rowsBelow("Beyond SMN").flatMap(([owner = "", cell = ""]) =>
    namesIn(owner).flatMap((name) =>
      namesIn(cell).map((operation) => `${name}.${operation}`),
    ),
  );
  const there = Object.entries(carillon).flatMap(([name, value]) =>
    typeof value === "function"
      ? [`carillon.${name}`]
      : Object.keys(value).map((operation) => `carillon.${name}.${operation}`),
  );
  assert.ok(there.length > 40);
  assert.deepEqual(listed.toSorted(), there.toSorted());
});

test("lists every operation of publishers and subscribers", () => {
  const listed = rowsBelow("Publishers and pull subscribers").flatMap(
    ([names = ""]) => (names.startsWith("of ") ? [] : namesIn(names)),
  );
  const there = [Publisher, Subscriber].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype).filter(
      (name) => name !== "constructor",
    ),
  );
  assert.deepEqual(listed.toSorted(), there.toSorted());
});

test("explains every error code", () => {
  const explained = [...readme.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(
    ([, code]) => code,
  );
  assert.deepEqual(explained, Object.keys(errorCodes));
});
