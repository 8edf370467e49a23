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

const pages = [
  "packages/server/README.md",
  "docs/guides/embed.md",
  "docs/guides/stored-messages.md",
  "docs/guides/templates.md",
];

for (const page of pages) {
  test(`programs of ${page} print what it says`, async (t) => {
    const cwd = join(await createFolder(t), "programs");
    await mkdir(cwd);
    for (const { name, program, expected } of await readPrograms(page)) {
      const path = join(cwd, name);
      await writeFile(path, program);
      // All in one folder, as a reader has it: they keep their data there.
      assert.equal(await runProgram(path, cwd), expected, program);
    }
  });
}

test("the compiler takes the programs of all pages", async (t) => {
  const folder = await createFolder(t);
  for (const [n, page] of pages.entries()) {
    const ofPage = join(folder, `${n}`);
    await mkdir(ofPage);
    for (const { name, program } of await readPrograms(page)) {
      await writeFile(join(ofPage, name), program);
    }
  }
  await checkTypes(folder);
});

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

test("a backend that is an object throws what write-a-backend.md says", async (t) => {
  const page = "docs/guides/write-a-backend.md";
  const content = await readFile(join(root, page), "utf8");
  const [, backend] = /^```js\n(.*?)^```/ms.exec(content) ?? [];
  assert.ok(backend);
  const folder = await createFolder(t);
  await writeFile(join(folder, "backend.mjs"), backend);
  const program = `
    import { open } from "@carillon/server";
    import mine from "./backend.mjs";
    await using carillon = await open({ data: "data", providers: { mine } });
    for (const to of ["+420777123451", "+420777123452"]) {
      const { state, error } = await carillon.sms.send({ to, text: "Hi" });
      console.log(state, error);
    }`;
  const path = join(folder, "main.ts");
  await writeFile(path, program);
  assert.equal(
    await runProgram(path, folder),
    "retrying Acme is busy\nrejected Acme has no such number\n",
  );
});

/** Each with what it prints. */
async function readPrograms(page: string) {
  const content = await readFile(join(root, page), "utf8");
  const programs = [
    ...content.matchAll(/^```ts\n(.*?)^```\n\n```text\n(.*?)^```/gms),
  ];
  assert.ok(programs.length > 0);
  assert.equal(content.match(/^```ts$/gm)?.length, programs.length);
  return programs.map(([, program = "", expected], n) => ({
    name: `main-${n}.ts`,
    program,
    expected,
  }));
}

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
