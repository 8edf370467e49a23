import assert from "node:assert/strict";
import { test } from "node:test";
import { findUndocumented, isEnough } from "./check-docs.ts";

function check(files: Readonly<Record<string, string>>) {
  return findUndocumented("src/index.ts", (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no file ${path}`);
    return text;
  });
}

const index = 'export { a } from "./a.ts";';

const documented: readonly string[] = [
  "/** Adds. */\nexport function a() {}",
  "/** Adds. */\nexport async function a() {}",
  "/** What is added. */\nexport interface a {}",
  "/** What is added. */\nexport type a = 1;",
  "/** Adds. */\nexport const a = 1;",
  "/** Adds. */\nexport class a {}",
  "/** Adds. */\n// biome-ignore lint/x: because\nexport function a() {}",
  "/**\n * Adds.\n *\n * @throws Error\n */\nexport function a() {}",
];

for (const text of documented) {
  test(`finds the doc comment of ${JSON.stringify(text)}`, () => {
    const report = check({ "src/index.ts": index, "src/a.ts": text });
    assert.deepEqual(report, { names: 1, missing: [] });
  });
}

const undocumented: readonly string[] = [
  "export function a() {}",
  "// Adds.\nexport function a() {}",
  "/* Adds. */\nexport function a() {}",
  // The comment of a file stands apart from its first declaration.
  "/** All about adding. */\n\nexport function a() {}",
  "/** Another's. */\nexport const b = 1;\nexport function a() {}",
  "/** Another's. */\nexport const ab = 1;\nexport const a = 1;",
  "/** @throws Error */\nexport function a() {}",
  "/** */\nexport function a() {}",
];

for (const text of undocumented) {
  test(`misses a doc comment in ${JSON.stringify(text)}`, () => {
    const report = check({ "src/index.ts": index, "src/a.ts": text });
    assert.deepEqual(report, { names: 1, missing: ["src/a.ts: a"] });
  });
}

test("looks at each name of a list, types too", () => {
  const report = check({
    "src/index.ts":
      'export {\n  a,\n  type B,\n} from "./a.ts";\nexport type { C } from "./c/c.ts";',
    "src/a.ts": "/** A. */\nexport const a = 1;\nexport interface B {}",
    "src/c/c.ts": "export type C = 1;",
  });
  assert.deepEqual(report, {
    names: 3,
    missing: ["src/a.ts: B", "src/c/c.ts: C"],
  });
});

test("follows a name through the files that pass it on", () => {
  const report = check({
    "src/index.ts": 'export { a } from "./b/b.ts";',
    "src/b/b.ts": 'export { c as a } from "../c.ts";',
    "src/c.ts": "export const c = 1;",
  });
  assert.deepEqual(report.missing, ["src/c.ts: c"]);
});

test("fails on a name that is declared nowhere", () => {
  const files = { "src/index.ts": index, "src/a.ts": "export const b = 1;" };
  assert.throws(() => check(files), /src\/a\.ts exports no a/);
});

test("nine in ten are enough, and less is not", () => {
  assert.ok(isEnough({ names: 10, missing: ["a"] }));
  assert.ok(!isEnough({ names: 19, missing: ["a", "b"] }));
  assert.ok(isEnough({ names: 0, missing: [] }));
});
