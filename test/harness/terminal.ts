/** A command on a terminal of its own, as somebody types there. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** What is waited for in the output, and what is typed then. */
export type Typing = readonly [shown: string, typed: string];

/** Why there is no terminal to test with, for a skip; else `undefined`. */
export function whyNoTerminal(): string | undefined {
  return spawnSync("script", ["--version"]).status === 0
    ? undefined
    : "script(1) is not installed: nothing was tried on a terminal";
}

/** Runs a program on a terminal and answers what was seen there. */
export async function onTerminal(
  command: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
  },
  typings: readonly Typing[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(
    "script",
    ["--quiet", "--return", "--command", command.join(" "), "/dev/null"],
    { ...options, stdio: ["pipe", "pipe", "inherit"] },
  );
  const left = [...typings];
  let output = "";
  let seen = 0;
  child.stdout.on("data", (part: Buffer) => {
    output += part.toString();
    const [next] = left;
    if (next === undefined || !output.slice(seen).includes(next[0])) return;
    seen = output.length;
    left.shift();
    child.stdin.write(next[1]);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}
