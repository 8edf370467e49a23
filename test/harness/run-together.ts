/** Runs many command lines in one process: a start takes longer than most. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Outcome } from "./run-commands.ts";

export interface TogetherOptions {
  /** The folder that they are run in, and the home of what they keep. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** One after the other; answers what each wrote, and its exit code. */
export async function runTogether(
  lines: readonly (readonly string[])[],
  { folder, env }: TogetherOptions,
): Promise<readonly Outcome[]> {
  const child = spawn(
    process.execPath,
    [
      "--conditions=source",
      join(import.meta.dirname, "run-commands.ts"),
      JSON.stringify(lines),
    ],
    {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: environmentOf({ folder, ...(env && { env }) }),
    },
  );
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
  ]);
  assert.equal(stderr, "");
  return JSON.parse(stdout) as Outcome[];
}

/** What such commands see of the environment of the test. */
export function environmentOf({ folder, env }: TogetherOptions) {
  return {
    PATH: process.env.PATH ?? "",
    NODE_NO_WARNINGS: "1",
    HOME: folder,
    ...env,
  };
}
