/** Runs what the guide and the examples show, and compares what they print. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);

interface Snippet {
  readonly heading: string;
  readonly code: string;
  readonly output: string;
}

/** Each program of a page with the output that follows it. */
function findSnippets(page: string): Snippet[] {
  const pattern = /^## ([^\n]+)$|^```ts\n(.*?)^```\n\n```text\n(.*?)^```/gms;
  const snippets: Snippet[] = [];
  let heading = "README";
  for (const [, title, code, output] of page.matchAll(pattern)) {
    if (title !== undefined) heading = title;
    else if (code !== undefined && output !== undefined) {
      snippets.push({ heading, code, output });
    }
  }
  return snippets;
}

async function runFile(path: string): Promise<string> {
  const options = [
    "--conditions=source",
    "--disable-warning=ExperimentalWarning",
  ];
  const { stdout } = await run(process.execPath, [...options, path], {
    cwd: root,
    timeout: 30_000,
  });
  return stdout;
}

const pages = await Promise.all(
  ["packages/gateway/README.md", "docs/guides/gateway.md"].map((path) =>
    readFile(join(root, path), "utf8"),
  ),
);
const page = pages.join("\n");
const snippets = findSnippets(page);
let folder = "";

before(async () => {
  // Inside the workspace, where the package is found by its name.
  await mkdir(join(root, "tmp"), { recursive: true });
  folder = await mkdtemp(join(root, "tmp", "gateway-guide-"));
  for (const [index, { code }] of snippets.entries()) {
    await writeFile(join(folder, `${index}.ts`), code);
  }
});

after(() => rm(folder, { recursive: true, force: true }));

describe("the README and the guide", () => {
  test("has no program without its output", () => {
    assert.ok(snippets.length >= 10);
    assert.equal(page.match(/^```ts$/gm)?.length, snippets.length);
  });

  for (const [index, { heading, output }] of snippets.entries()) {
    test(`does what it says under "${heading}"`, async () => {
      assert.equal(await runFile(join(folder, `${index}.ts`)), output);
    });
  }

  test("shows programs that the compiler accepts", async () => {
    const config = {
      extends: "../../tsconfig.tests.json",
      compilerOptions: { typeRoots: ["../../node_modules/@types"] },
      include: ["*.ts"],
    };
    const path = join(folder, "tsconfig.json");
    await writeFile(path, JSON.stringify(config));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    assert.ok(existsSync(tsc));
    const checked = run(process.execPath, [tsc, "-p", path]).then(
      () => "",
      (error: { stdout?: string }) => error.stdout ?? String(error),
    );
    assert.equal(await checked, "");
  });
});

describe("the examples", () => {
  for (const path of globSync(join(root, "examples/gateway-*/main.ts"))) {
    const name = basename(dirname(path));
    test(`${name} prints what its README says`, async () => {
      const readme = await readFile(join(dirname(path), "README.md"), "utf8");
      assert.ok(readme.includes(`examples/${name}/main.ts`));
      const output = /^```text\n(.*?)^```/ms.exec(readme)?.[1];
      assert.equal(await runFile(path), output);
    });
  }
});
