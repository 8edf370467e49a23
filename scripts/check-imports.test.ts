import assert from "node:assert/strict";
import { test } from "node:test";
import { findBreaches, type Manifest } from "./check-imports.ts";

const manifests = new Map<string, Manifest>([
  ["", { name: "root", devDependencies: { "fast-check": "1" } }],
  [
    "core",
    { name: "@carillon/core", devDependencies: { "@carillon/testing": "1" } },
  ],
  [
    "server",
    {
      name: "@carillon/server",
      dependencies: { fastify: "1", "@carillon/core": "1" },
    },
  ],
  ["cli", { name: "carillon", dependencies: { "@carillon/server": "1" } }],
  ["client", { name: "@carillon/client" }],
  ["testing", { name: "@carillon/testing" }],
]);

const fine: readonly (readonly [string, string])[] = [
  ["packages/core/src/a.ts", 'import { b } from "./b/c.ts";'],
  ["packages/core/src/a.test.ts", 'import { t } from "@carillon/testing";'],
  ["packages/core/src/a.test.ts", 'import fc from "fast-check";'],
  ["packages/core/src/a.test.ts", 'import * as all from "@carillon/core";'],
  ["packages/core/src/a.test.ts", 'import { s } from "../test-support/s.ts";'],
  ["packages/core/src/a.test.ts", 'import { test } from "node:test";'],
  ["packages/core/src/a.ts", '// import fs from "node:fs";\nexport {};'],
  ["packages/core/src/a.ts", 'const text = "another process. setTimeout()";'],
  ["packages/core/src/ports/clock.ts", "export const f = () => Date.now();"],
  ["packages/server/src/a.ts", 'import type {\n  A,\n} from "@carillon/core";'],
  ["packages/server/src/a.ts", 'const f = await import("fastify");'],
  ["packages/core/src/index.ts", '/** All. */\nexport { a } from "./a.ts";'],
  ["packages/core/src/index.ts", 'export type * as b from "./b.ts";'],
];

for (const [path, text] of fine) {
  test(`lets pass ${text.split("\n").join(" ")} in ${path}`, () => {
    assert.deepEqual(findBreaches([{ path, text }], manifests), []);
  });
}

const broken: readonly (readonly [string, string, RegExp])[] = [
  ["packages/core/src/a.ts", 'import fs from "node:fs";', /no I\/O/],
  ["packages/core/src/a.ts", 'import { x } from "fastify";', /no library/],
  ["packages/core/src/a.ts", "const e = process.env;", /process/],
  ["packages/core/src/a.ts", "const n = Date.now();", /Clock port/],
  [
    "packages/core/src/a.ts",
    'import { x } from "@carillon/server";',
    /only nothing of ours/,
  ],
  [
    "packages/core/src/a.ts",
    'import { x } from "@carillon/testing";',
    /only nothing of ours/,
  ],
  [
    "packages/cli/src/a.ts",
    'export type { X } from "@carillon/core";',
    /only client, server of ours/,
  ],
  [
    "packages/cli/src/a.ts",
    'const x = await import("@carillon/core");',
    /only client, server of ours/,
  ],
  ["packages/cli/src/a.ts", 'import "pino";', /does not declare/],
  [
    "packages/client/src/a.ts",
    'import { x } from "@carillon/core";',
    /only nothing of ours/,
  ],
  [
    "packages/server/src/a.ts",
    'import { x } from "../../core/src/a.ts";',
    /stays inside/,
  ],
  ["packages/server/src/b.ts", 'import { x } from "./index.ts";', /the file/],
  [
    "packages/server/src/b.ts",
    'import { x } from "../test-support/s.ts";',
    /stays inside/,
  ],
  [
    "packages/server/src/b.ts",
    'import { x } from "@carillon/server";',
    /may import only/,
  ],
  ["packages/server/src/index.ts", "export const a = 1;", /re-exports/],
  ["packages/server/src/utils/a.ts", "export {};", /says nothing/],
  ["packages/server/src/types.ts", "export {};", /says nothing/],
  ["test/helpers.test.ts", "export {};", /says nothing/],
];

for (const [path, text, rule] of broken) {
  test(`reports ${text} in ${path}`, () => {
    const breaches = findBreaches([{ path, text }], manifests);
    assert.equal(breaches.length, 1, breaches.join("\n"));
    assert.match(breaches[0] ?? "", rule);
  });
}
