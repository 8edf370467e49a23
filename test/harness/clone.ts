/**
 * A copy of the sources that the steps of a page are done in: its files are
 * written where it says, its lines put in where it shows them.
 */

import assert from "node:assert/strict";
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Files of the clone that programs of a page are checked with. */
const copied = [
  "package.json",
  "packages",
  "scripts",
  "tsconfig.base.json",
  "tsconfig.tests.json",
];

export class Clone implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<Clone> {
    const clone = new Clone(await mkdtemp(join(tmpdir(), "carillon-clone-")));
    for (const path of copied) {
      await cp(join(repository, path), join(clone.root, path), {
        recursive: true,
        filter: (from) => !["dist", "node_modules"].includes(basename(from)),
      });
    }
    await clone.#install();
    return clone;
  }

  /**
   * Writes the page's programs, each to the path in its first line, and puts
   * lines into the files that the page names before its diffs. Answers the
   * paths of all of them.
   */
  async follow(page: string): Promise<string[]> {
    const programs = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)];
    assert.equal(programs.length, page.match(/^```ts$/gm)?.length);
    for (const [, path = "", code = ""] of programs) {
      await mkdir(dirname(join(this.root, path)), { recursive: true });
      await writeFile(join(this.root, path), code, { flag: "wx" });
    }
    const diffs = [
      ...page.matchAll(/`([^`\s]+)`[^`]*:\n\n```diff\n(.*?)^```$/gms),
    ];
    assert.ok(diffs.length > 0, "the page has lost its diffs");
    assert.equal(diffs.length, page.match(/^```diff$/gm)?.length);
    for (const [, path = "", diff = ""] of diffs) {
      const file = join(this.root, path);
      await writeFile(file, applied(diff, await readFile(file, "utf8"), path));
    }
    return [...programs, ...diffs].map(([, path = ""]) => path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  /** What is installed in the repository, but our own packages of the copy. */
  async #install(): Promise<void> {
    const from = join(repository, "node_modules");
    const to = join(this.root, "node_modules");
    await mkdir(join(to, "@carillon"), { recursive: true });
    for (const name of await readdir(from)) {
      if (name === "@carillon") continue;
      await symlink(join(from, name), join(to, name));
    }
    for (const name of await readdir(join(from, "@carillon"))) {
      await symlink(
        join(this.root, "packages", name),
        join(to, "@carillon", name),
      );
    }
  }
}

/** Parts between lines of `@@` go to places of their own. */
function applied(diff: string, text: string, path: string): string {
  let changed = text;
  for (const part of diff.split(/^@@.*\n/m)) {
    const lines = part.split("\n").slice(0, -1);
    const linesOf = (signs: string) =>
      lines
        .filter((line) => signs.includes(line.charAt(0)))
        .map((line) => `${line.slice(1)}\n`)
        .join("");
    const before = linesOf(" -");
    const count = changed.split(before).length - 1;
    assert.equal(count, 1, `${path} has ${count} places for:\n${part}`);
    changed = changed.replace(before, () => linesOf(" +"));
  }
  return changed;
}
