// Entry of every `npm run …`: installs and builds what is missing, then runs
// the task on the pinned runtime. Plain JavaScript for any Node from 18, since
// it runs before the pinned one is there.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInForeground } from "./foreground.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = join(root, "node_modules", ".bin");
const stamp = join(root, "node_modules", ".carillon-installed");
const env = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`,
};
/**
 * Settings of an outer npm command (`npm pack --dry-run -w …`) that would make
 * another one of installing.
 */
const outerSettings = [
  "npm_config_dry_run",
  "npm_config_include_workspace_root",
  "npm_config_json",
  "npm_config_workspace",
  "npm_config_workspaces",
];
const source = ["--conditions=source", "--disable-warning=ExperimentalWarning"];

const [task = "", ...args] = process.argv.slice(2);

/** What each task runs; answers its exit code. */
const tasks = {
  setup: build,
  start: () =>
    node(
      "--max-semi-space-size=16",
      "--max-old-space-size=2000",
      "packages/cli/src/main.ts",
      "serve",
      ...args,
    ),
  demo: () => node("scripts/demo.ts", ...args),
  check,
  test: inTurn(check, () => node("scripts/test.ts", ...args)),
  bench: inTurn(build, () => node("bench/main.ts", ...args)),
  torture: () => node("test/torture/main.ts", ...args),
  format: () => run("biome", "check", "--write", "."),
  /** What `npm pack` and `npm publish` run first, in a package's folder. */
  prepack: inTurn(build, () => node("scripts/prepack.ts", process.cwd())),
};

const chosen = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
if (chosen === undefined) {
  console.error(
    `Unknown task "${task}". Use one of: ${Object.keys(tasks).join(", ")}.`,
  );
  process.exit(2);
}
process.exit(await inTurn(install, chosen)());

/** Types, lint and format, direction of imports, doc comments. */
function check() {
  return inTurn(
    build,
    () => run("tsc", "-p", "tsconfig.tests.json"),
    () => run("biome", "check", "."),
    () => node("scripts/check-imports.ts"),
    () => node("scripts/check-docs.ts"),
  )();
}

function build() {
  return inTurn(
    () => run("tsc", "-b"),
    () => node("scripts/bundle.ts"),
  )();
}

/** Installs again only when the lock file is not the one installed last. */
async function install() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return 0;
  console.error("Installing dependencies (only when the lock file changed) …");
  const npm = process.env.npm_execpath;
  // Not `npm ci`: it refuses a lock file that lacks an optional package of
  // another platform. `--no-save` leaves the lock file as it is.
  const npmArguments = [
    "install",
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const [command, ...first] = npm
    ? [process.env.npm_node_execpath ?? process.execPath, npm]
    : ["npm"];
  const status = await runInForeground(command, [...first, ...npmArguments], {
    cwd: root,
    env: without(outerSettings, env),
    // Nothing on stdout: that may be the list of `npm pack --json`.
    stdio: ["inherit", 2, 2],
  });
  if (status === 0) writeFileSync(stamp, lock);
  return status;
}

function node(...arguments_) {
  return run(join(bin, "node"), ...source, ...arguments_);
}

function run(command, ...arguments_) {
  return runInForeground(command, arguments_, { cwd: root, env });
}

function without(names, variables) {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => !names.includes(name)),
  );
}

/** One after the other; the first that fails ends it with its exit code. */
function inTurn(...steps) {
  return async () => {
    for (const step of steps) {
      const status = await step();
      if (status !== 0) return status;
    }
    return 0;
  };
}
