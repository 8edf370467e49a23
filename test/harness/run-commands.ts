/**
 * Runs many command lines in one process, for tests that run each command
 * there is: argument 2 is a JSON list of lists of words. Prints a JSON list of
 * what each one wrote, and its exit code.
 */

import { runProgram } from "../../packages/cli/src/program.ts";

export interface Outcome {
  readonly words: readonly string[];
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const lines = JSON.parse(process.argv[2] ?? "[]") as string[][];
const outcomes: Outcome[] = [];

// Each run adds its own, for a process of its own.
process.setMaxListeners(0);
process.stdout.setMaxListeners(0);
process.stderr.setMaxListeners(0);

const writeToStdout = process.stdout.write.bind(process.stdout);
for (const words of lines) {
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  process.exitCode = undefined;
  const code = await runProgram(words);
  outcomes.push({ words, code, stdout: stdout(), stderr: stderr() });
}
writeToStdout(JSON.stringify(outcomes), () => process.exit(0));

function capture(stream: NodeJS.WriteStream): () => string {
  let written = "";
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    written += chunk;
    const done = rest.at(-1);
    if (typeof done === "function") done();
    return true;
  };
  return () => written;
}
