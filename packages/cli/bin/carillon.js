#!/usr/bin/env -S node --max-semi-space-size=16 --max-old-space-size=2000
// Starts Carillon on a Node.js that can run it. Plain JavaScript, so that an
// older Node.js gets far enough to say what is missing. The options above keep
// the heap small: by default it grows to several times what is in use before
// garbage is collected.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
// Not by name: a name that an older Node.js lacks would end the program here.
import nodeModule, { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

// Before anything is loaded, so that a service manager that stops a server at
// once finds it stopped well; the server then handles them itself.
const isServer = process.argv[2] === "serve";
const stopSignals = ["SIGINT", "SIGTERM"];
if (isServer) {
  for (const signal of stopSignals) process.on(signal, () => process.exit(0));
  // The configuration is not read yet.
  process.on("SIGHUP", () => {});
}

const require = createRequire(import.meta.url);
const manifest = require("../package.json");
/** By the package's own `engines`, such as `>=24.9`; read by doctor as well. */
const needed = manifest.engines.node.replace(">=", "");
const heapOptions = ["--max-semi-space-size=16", "--max-old-space-size=2000"];

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = manifest.imports["#main"];
const built = join(packageFolder, entry.default);
const source = join(packageFolder, entry.source);
const launcher = fileURLToPath(import.meta.url);

if (!isNewEnough(process.versions.node)) {
  const runtime = findRuntime();
  if (runtime) {
    run(runtime, [...heapOptions, launcher, ...process.argv.slice(2)]);
  } else {
    console.error(
      `Carillon needs Node.js ${needed} or newer and this is ${process.versions.node}: install Node.js ${needed.split(".")[0]} from https://nodejs.org/ or with your version manager.`,
    );
    process.exitCode = 1;
  }
} else if (existsSync(built)) {
  const cache = cacheFolder();
  if (cache) nodeModule.enableCompileCache(cache);
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

/**
 * Where Node.js keeps the program's compiled code from one start to the next.
 * Not in the folder for temporary files, as it would by itself: whoever can
 * write there could run code as this user. Without a home, or one that cannot be
 * written, nothing is kept. NODE_COMPILE_CACHE names another, NODE_DISABLE_COMPILE_CACHE=1 none.
 */
function cacheFolder() {
  const { NODE_COMPILE_CACHE, XDG_CACHE_HOME, HOME } = process.env;
  if (NODE_COMPILE_CACHE) return NODE_COMPILE_CACHE;
  const caches = XDG_CACHE_HOME || (HOME && join(HOME, ".cache"));
  return caches && join(caches, "carillon");
}

/** @param {string} version such as 24.21.0 */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [neededMajor = 0, neededMinor = 0] = needed.split(".").map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

/** The runtime that a clone pins as a dependency, if it can run us. */
function findRuntime() {
  try {
    const manifest = require("node/package.json");
    const folder = dirname(require.resolve("node/package.json"));
    const path = join(folder, manifest.bin.node);
    const fits = isNewEnough(manifest.version);
    return fits && existsSync(path) ? path : undefined;
  } catch {
    // Not installed: the usual case outside a clone.
    return undefined;
  }
}

/** Runs in the foreground: same terminal, same signals, same exit code. */
function run(command, commandArguments) {
  const forwarded = [...stopSignals, "SIGHUP"];
  for (const signal of forwarded) process.removeAllListeners(signal);
  const child = spawn(command, commandArguments, { stdio: "inherit" });
  for (const signal of forwarded) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => {
    console.error(`Could not run ${command}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    // A server that a signal ends had not begun to handle them.
    if (isServer && stopSignals.includes(signal)) process.exit(0);
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}
