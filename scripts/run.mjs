// Entry of every `npm run …`: installs and builds what is missing, then runs
// the task on the pinned runtime. Plain JavaScript for any Node from 18, since
// it runs before the pinned one is there.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = join(root, "node_modules", ".bin");
const stamp = join(root, "node_modules", ".carillon-installed");
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
const source = ["--conditions=source", "--disable-warning=ExperimentalWarning"];

const [task, ...args] = process.argv.slice(2);

/** What each task needs before it, and the commands it runs. */
const tasks = {
  setup: { build: true, run: () => 0 },
  start: {
    run: () => node([...source, "packages/cli/src/main.ts", "serve", ...args]),
  },
  demo: { run: () => node([...source, "scripts/demo.ts", ...args]) },
  check: { run: check },
  test: { run: () => check() || node([...source, "scripts/test.ts", ...args]) },
  bench: {
    build: true,
    run: () => node([...source, "bench/main.ts", ...args]),
  },
  torture: { run: () => node([...source, "test/torture.ts", ...args]) },
  format: { run: () => run("biome", ["check", "--write", "."]) },
};

const chosen = tasks[task];
if (chosen === undefined) {
  console.error(
    `Unknown task "${task}". Use one of: ${Object.keys(tasks).join(", ")}.`,
  );
  process.exit(2);
}
install();
if (chosen.build) orExit(run("tsc", ["-b"]));
process.exit(chosen.run());

/** Types, lint and format, direction of imports. */
function check() {
  return (
    run("tsc", ["-b"]) ||
    run("tsc", ["-p", "tsconfig.tests.json"]) ||
    run("biome", ["check", "."]) ||
    node([...source, "scripts/check-imports.ts"])
  );
}

/** Installs again only when the lock file is not the one installed last. */
function install() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.error("Installing dependencies (only when the lock file changed) …");
  const npm = process.env.npm_execpath;
  const arguments_ = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  orExit(
    npm ? run(process.execPath, [npm, ...arguments_]) : run("npm", arguments_),
  );
  writeFileSync(stamp, lock);
}

function node(arguments_) {
  return run(join(bin, "node"), arguments_);
}

function run(command, arguments_) {
  const result = spawnSync(command, arguments_, {
    cwd: root,
    env,
    stdio: "inherit",
  });
  if (result.error) {
    console.error(`Could not run ${command}: ${result.error.message}`);
    return 1;
  }
  return result.status ?? 1;
}

function orExit(status) {
  if (status !== 0) process.exit(status);
}
