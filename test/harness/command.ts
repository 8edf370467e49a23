/** Runs `carillon` commands as people and programs do. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const main = join(root, "packages/cli/src/main.ts");

/** How a command ended. */
export interface CommandRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command is run with. */
export interface CommandOptions {
  /** Sends Ctrl-C's signal once its output is so. */
  readonly interruptWhen?: (stdout: string, stderr: string) => boolean;
}

/** A command whose output goes to a program. */
export async function runCommand(
  words: readonly string[],
  { interruptWhen }: CommandOptions = {},
): Promise<CommandRun> {
  const child = spawn(
    process.execPath,
    ["--conditions=source", main, ...words],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: environment() },
  );
  const written = { stdout: "", stderr: "" };
  let isInterrupted = false;
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (part: Buffer) => {
      written[name] += part.toString();
      if (isInterrupted) return;
      isInterrupted = interruptWhen?.(written.stdout, written.stderr) ?? false;
      if (isInterrupted) child.kill("SIGINT");
    });
  }
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/**
 * A command on a terminal of that size: what it printed, its standard error
 * among it. Needs `script` of util-linux; see {@link hasNoTerminals}.
 */
export async function runOnTerminal(
  words: readonly string[],
  { columns = 80, rows = 24 } = {},
): Promise<{ readonly code: number | null; readonly screen: string }> {
  const quoted = [process.execPath, "--conditions=source", main, ...words]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(" ");
  const child = spawn(
    "script",
    ["-qec", `stty cols ${columns} rows ${rows}; ${quoted}`, "/dev/null"],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"], env: environment() },
  );
  const [screen, [code]] = await Promise.all([
    text(child.stdout),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, screen: screen.replaceAll("\r\n", "\n") };
}

/** Why a test on a terminal cannot run here; `false`: it can. */
export function hasNoTerminals(): string | false {
  const { error, stdout } = spawnSync("script", ["--version"]);
  return error || !String(stdout).includes("util-linux")
    ? "script of util-linux is not installed"
    : false;
}

/** What it printed as JSON, line by line. */
export function rowsOf({ stdout }: CommandRun): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("CARILLON_"),
  );
  return { ...Object.fromEntries(inherited), NODE_NO_WARNINGS: "1" };
}
