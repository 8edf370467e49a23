/** Runs what the README, the guides and the example show, as it is shown. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);

for (const page of [
  "packages/server/README.md",
  "docs/guides/embed.md",
  "docs/guides/stored-messages.md",
]) {
  test(`programs of ${page} print what it says`, async (t) => {
    const content = await readFile(join(root, page), "utf8");
    const programs = [
      ...content.matchAll(/^```ts\n(.*?)^```\n\n```text\n(.*?)^```/gms),
    ];
    assert.ok(programs.length > 0);
    assert.equal(content.match(/^```ts$/gm)?.length, programs.length);
    const folder = await createFolder(t);
    for (const [at, [, program = "", expected]] of programs.entries()) {
      // A folder for each, as they keep their data in the working directory.
      const cwd = join(folder, `${at}`);
      await mkdir(cwd);
      const path = join(cwd, "main.ts");
      await writeFile(path, program);
      assert.equal(await runProgram(path, cwd), expected, program);
    }
    await checkTypes(folder);
  });
}

test("the example of stored messages prints what its README says", async (t) => {
  const example = join(root, "examples/stored-messages");
  const readme = await readFile(join(example, "README.md"), "utf8");
  const [, expected] = /^```text\n(.*?)^```/ms.exec(readme) ?? [];
  const folder = await createFolder(t);
  const data = join(folder, "data");
  assert.equal(
    await runProgram(join(example, "main.ts"), folder, [data]),
    expected,
  );
});

async function runProgram(
  path: string,
  cwd: string,
  given: readonly string[] = [],
): Promise<string> {
  const args = [
    "--conditions=source",
    "--disable-warning=ExperimentalWarning",
    path,
    ...given,
  ];
  const { stdout } = await run(process.execPath, args, {
    cwd,
    timeout: 30_000,
  });
  return stdout;
}

/** Whether the compiler takes the programs in the folder. */
async function checkTypes(folder: string): Promise<void> {
  const config = {
    extends: "../../tsconfig.tests.json",
    compilerOptions: { typeRoots: ["../../node_modules/@types"] },
    include: ["*/*.ts"],
  };
  const path = join(folder, "tsconfig.json");
  await writeFile(path, JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const told = await run(process.execPath, [tsc, "-p", path]).then(
    () => "",
    (error: { stdout?: string }) => error.stdout ?? String(error),
  );
  assert.equal(told, "");
}

/** Inside the workspace, where packages are found by their names. */
async function createFolder(t: TestContext): Promise<string> {
  await mkdir(join(root, "tmp"), { recursive: true });
  const folder = await mkdtemp(join(root, "tmp", "server-docs-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
