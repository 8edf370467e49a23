#!/usr/bin/env -S node --max-semi-space-size=16 --max-old-space-size=2000
// Starts Carillon on a Node.js that can run it. Plain JavaScript, so that an
// older Node.js gets far enough to say what is missing. The options above keep
// the heap small: by default it grows to several times what is in use before
// garbage is collected.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const neededMajor = 24;
const heapOptions = ["--max-semi-space-size=16", "--max-old-space-size=2000"];

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(packageFolder, "dist", "main.js");
const source = join(packageFolder, "src", "main.ts");
const launcher = fileURLToPath(import.meta.url);

if (Number.parseInt(process.versions.node, 10) < neededMajor) {
  const runtime = findRuntime();
  if (runtime) {
    run(runtime, [...heapOptions, launcher, ...process.argv.slice(2)]);
  } else {
    console.error(
      `Carillon needs Node.js ${neededMajor} or newer and this is ${process.versions.node}: install Node.js ${neededMajor} from https://nodejs.org/ or with your version manager.`,
    );
    process.exitCode = 1;
  }
} else if (existsSync(built)) {
  import(pathToFileURL(built).href);
} else {
  // A clone that was not built: packages then import each other's sources.
  run(process.execPath, [
    ...heapOptions,
    "--conditions=source",
    source,
    ...process.argv.slice(2),
  ]);
}

/** The runtime that a clone pins as a dependency, if it can run us. */
function findRuntime() {
  try {
    const manifest = createRequire(import.meta.url)("node/package.json");
    const folder = dirname(
      createRequire(import.meta.url).resolve("node/package.json"),
    );
    const path = join(folder, manifest.bin.node);
    const fits = Number.parseInt(manifest.version, 10) >= neededMajor;
    return fits && existsSync(path) ? path : undefined;
  } catch {
    // Not installed: the usual case outside a clone.
    return undefined;
  }
}

/** Runs in the foreground: same terminal, same signals, same exit code. */
function run(command, commandArguments) {
  const child = spawn(command, commandArguments, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => {
    console.error(`Could not run ${command}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}
