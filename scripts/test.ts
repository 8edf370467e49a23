/**
 * Runs the tests: those beside their files and those of the whole program.
 * Arguments narrow: a part of a path picks files (`npm test -- storage`), what
 * starts with a dash goes to the runner (`--test-name-pattern=lease`).
 */

import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { runInForeground } from "./foreground.mjs";

const chosen = process.argv.slice(2);
const options = chosen.filter((word) => word.startsWith("-"));
const parts = chosen.filter((word) => !word.startsWith("-"));

const files = globSync([
  "packages/*/src/**/*.test.ts",
  "scripts/*.test.ts",
  "test/**/*.test.ts",
])
  .filter((path) => !path.includes("node_modules"))
  .filter((path) => parts.length === 0 || parts.some((p) => path.includes(p)))
  .sort();

/**
 * Most of what a test file takes is to strip the types of all that it imports, and
 * to compile it, again in each process and thread: it is kept between them.
 */
const compileCache = {
  NODE_COMPILE_CACHE: fileURLToPath(
    new URL("../node_modules/.cache/compiled", import.meta.url),
  ),
};

if (files.length === 0) {
  console.error(`No test file's path has ${parts.join(" or ")} in it.`);
  process.exitCode = 1;
} else {
  process.exitCode = await runInForeground(
    process.execPath,
    [
      "--conditions=source",
      "--disable-warning=ExperimentalWarning",
      "--test",
      `--test-concurrency=${availableParallelism()}`,
      // A test that hangs fails instead of hanging all the others.
      "--test-timeout=300000",
      ...options,
      ...files,
    ],
    { env: { ...withoutConfiguration(process.env), ...compileCache } },
  );
}

/** What a developer set for a server of theirs is not for the tests' servers. */
function withoutConfiguration(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith("CARILLON_")),
  );
}
