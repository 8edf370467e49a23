import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import {
  findProblems,
  installScripts,
  type LockedPackage,
} from "../scripts/check-dependencies.ts";

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));

test("only listed packages run programs at installation, all licences are allowed", () => {
  const { packages } = read("package-lock.json");
  assert.ok(Object.keys(packages).length > 100);
  assert.deepEqual(
    findProblems(packages, read("package.json").allowScripts),
    [],
  );
  for (const [name, { reason }] of Object.entries(installScripts)) {
    assert.ok(reason.length > 20, name);
  }
});

const packages = readdirSync(new URL("../packages", import.meta.url));

test("our own packages run nothing at installation", () => {
  assert.ok(packages.length >= 9);
  for (const name of packages) {
    const { scripts = {} } = read(`packages/${name}/package.json`);
    for (const hook of ["preinstall", "install", "postinstall"]) {
      assert.equal(hook in scripts, false, `${name}: ${hook}`);
    }
  }
});

test("what is not on a list is a problem", () => {
  const listed: Record<string, LockedPackage> = {
    ...Object.fromEntries(
      Object.keys(installScripts).map((name) => [
        name === "node"
          ? "node_modules/node"
          : `node_modules/a/node_modules/${name}`,
        { license: "MIT OR Apache-2.0", hasInstallScript: true },
      ]),
    ),
    "packages/core": {},
    "node_modules/@carillon/core": { link: true },
  };
  const allowed = Object.fromEntries(
    Object.entries(installScripts).map(([name, { runs }]) => [name, runs]),
  );
  assert.deepEqual(findProblems(listed, allowed), []);
  const problemsOf = (
    more: Record<string, LockedPackage>,
    allowScripts: Record<string, boolean> = allowed,
  ) => findProblems({ ...listed, ...more }, allowScripts);

  assert.deepEqual(
    problemsOf({
      "node_modules/b": { license: "MIT", hasInstallScript: true },
      "node_modules/c": { license: "GPL-3.0-only" },
      "node_modules/d": {},
      "node_modules/e": { license: "MIT AND GPL-3.0-only" },
    }),
    [
      "node_modules/b: install script that is not listed",
      "node_modules/c: licence GPL-3.0-only",
      "node_modules/d: licence unknown",
      "node_modules/e: licence MIT AND GPL-3.0-only",
    ],
  );
  assert.deepEqual(problemsOf({ "node_modules/node": { license: "MIT" } }), [
    "node: listed, and has no install script",
  ]);
  assert.deepEqual(problemsOf({}, { ...allowed, "msgpackr-extract": true }), [
    "msgpackr-extract: allowScripts of package.json says otherwise",
  ]);
  assert.deepEqual(problemsOf({}, { ...allowed, other: true }), [
    "other: in allowScripts, and not listed",
  ]);
});

test("packages of the server need the Node.js that its launcher needs", () => {
  const { engines } = read("packages/cli/package.json");
  const lock = read("package-lock.json").packages;
  for (const name of packages) {
    // The client runs in other people's programs; test/install.test.ts runs it there.
    const needed = name === "client" ? ">=20" : engines.node;
    const path = `packages/${name}`;
    assert.equal(read(`${path}/package.json`).engines.node, needed, name);
    assert.equal(lock[path].engines.node, needed, `package-lock: ${name}`);
  }
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, named] = /needs Node\.js ([\d.]+) or newer/.exec(readme) ?? [];
  assert.equal(`>=${named}`, engines.node);
});
