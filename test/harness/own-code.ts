/** Follows a guide by which readers put code of their own into a clone. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CarillonProcess } from "./carillon-process.ts";
import { Clone } from "./clone.ts";
import { findFreePort } from "./free-port.ts";
import { followCommands } from "./page.ts";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Does the steps of a guide to the letter: writes its files and lines into a
 * clone, has the clone checked, runs the commands before `npm start`, starts
 * the server with what stands there, and runs the commands behind it.
 */
export async function followGuide(t: TestContext, path: string): Promise<void> {
  const port = String(await findFreePort());
  const page = (await readFile(join(repository, path), "utf8"))
    // Of the service that the guide's code talks to.
    .replaceAll("7090", port);
  await using clone = await Clone.create();
  const { root } = clone;
  const written = await clone.follow(page);
  await checkSources(root, written);

  const start = /^```sh\n(?:(CARILLON_\w+)=(\S+) )?npm start -- (.*)\n```$/m;
  const [block, variable, value = "", words = ""] = start.exec(page) ?? [];
  assert.ok(block, "the page has lost its npm start");
  const [before = "", behind = ""] = page.split(block);
  await followCommands(t, before, { folder: root, root });
  await using server = await CarillonProcess.start({
    root,
    data: join(root, "carillon-data"),
    args: words.split(" "),
    // The harness lets deliveries reach this machine; a page has to say so.
    env: { CARILLON_ALLOW_TARGETS: "", ...(variable && { [variable]: value }) },
  });
  const commands = behind.replaceAll("http://127.0.0.1:7070", server.url);
  await followCommands(t, commands, { folder: root, root });
}

/** What `npm run check` says of them. */
async function checkSources(
  root: string,
  written: readonly string[],
): Promise<void> {
  const config = {
    extends: "./tsconfig.tests.json",
    include: written.map((path) => `${dirname(path)}/*.ts`),
  };
  const project = join(root, "tsconfig.guide.json");
  await writeFile(project, JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  for (const words of [
    [tsc, "-p", project],
    ["--conditions=source", "scripts/check-imports.ts"],
  ]) {
    const problems = run(process.execPath, words, { cwd: root }).then(
      () => "",
      ({ stdout, stderr }) => `${stdout}${stderr}`,
    );
    assert.equal(await problems, "");
  }
}
