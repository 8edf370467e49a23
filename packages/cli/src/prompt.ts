/** Questions to whoever sits at the terminal. */

import { createInterface } from "node:readline/promises";
import { type Readable, Writable } from "node:stream";
import { CommandFailure } from "./command-failure.ts";

/** Where questions are asked; narrowed for tests. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean };
}

/** On stderr, so that stdout has results only. */
export const terminal: Terminal = {
  input: process.stdin,
  output: process.stderr,
};

/** Whether somebody can be asked. */
export function hasTerminal({ input, output }: Terminal = terminal): boolean {
  return Boolean(input.isTTY && output.isTTY);
}

/**
 * The line that is typed; empty when the input ends.
 *
 * @param options `hidden`: what is typed is not shown
 * @throws CommandFailure exit code 130 for Ctrl-C
 */
export async function ask(
  question: string,
  { input, output }: Terminal = terminal,
  { hidden = false }: { readonly hidden?: boolean } = {},
): Promise<string> {
  const lines = createInterface({
    input,
    output: hidden ? new Nowhere() : output,
    terminal: true,
    historySize: 0,
  });
  const typed = Promise.withResolvers<string>();
  let isEchoed = false;
  lines.once("line", (line) => {
    isEchoed = !hidden;
    typed.resolve(line);
  });
  lines.once("close", () => typed.resolve(""));
  lines.once("SIGINT", () =>
    typed.reject(new CommandFailure("Interrupted; nothing was changed.", 130)),
  );
  if (hidden) output.write(question);
  lines.setPrompt(question);
  lines.prompt();
  try {
    return await typed.promise;
  } finally {
    lines.close();
    if (!isEchoed) output.write("\n");
  }
}

/** A stream that shows nothing of what is typed. */
class Nowhere extends Writable {
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}
