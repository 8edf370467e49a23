/** Follows the guide on providers: its programs are taken from the page and run. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
let folder = "";

before(async () => {
  const page = await readFile(
    join(root, "docs/guides/write-a-provider.md"),
    "utf8",
  );
  // Inside the workspace, where the packages are found by their names.
  await mkdir(join(root, "tmp"), { recursive: true });
  folder = await mkdtemp(join(root, "tmp", "write-a-provider-"));
  const programs = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```/gms)];
  assert.equal(programs.length, page.match(/^```ts$/gm)?.length);
  for (const [, path = "", code = ""] of programs) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), code);
  }
});

after(() => rm(folder, { recursive: true, force: true }));

test("its provider keeps the contract, as its test says", async () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await run(
    process.execPath,
    [
      "--conditions=source",
      "--disable-warning=ExperimentalWarning",
      "--test-reporter=tap",
      "--test",
      join(folder, "acme/provider.test.ts"),
    ],
    { cwd: root, env },
  );
  assert.match(stdout, /^# pass [1-9]/m);
  assert.match(stdout, /^# fail 0$/m);
});

test("its programs are right for the compiler", async () => {
  const config = {
    extends: "../../tsconfig.tests.json",
    compilerOptions: { typeRoots: ["../../node_modules/@types"] },
    include: ["acme/*.ts"],
  };
  const path = join(folder, "tsconfig.json");
  await writeFile(path, JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const checked = run(process.execPath, [tsc, "-p", path]).then(
    () => "",
    (error: { stdout?: string }) => error.stdout ?? String(error),
  );
  assert.equal(await checked, "");
});
