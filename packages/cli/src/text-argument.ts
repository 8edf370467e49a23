/** The text that a command is about: given, in a file, or in standard input. */

import { CommandFailure } from "./command-failure.ts";
import { textArgument } from "./file-argument.ts";

/**
 * As `textArgument` reads it; without one, all of standard input.
 *
 * @param usage the command, for the message
 * @throws CommandFailure when there is no text, or a terminal would be read
 */
export async function textFrom(
  words: string | undefined,
  usage: string,
): Promise<string> {
  if (words === undefined && process.stdin.isTTY) {
    throw new CommandFailure(
      `Expected a text: ${usage} "…", @ and a file that has it, or - to type it and end with Ctrl-D.`,
      2,
    );
  }
  const given = words ?? "-";
  const read = await textArgument("the text", given);
  if (read !== "") return read;
  throw new CommandFailure(
    given === "-"
      ? `Standard input has no text: ${usage} "…" gives one.`
      : `Expected a text that is not empty: ${usage} "…".`,
    2,
  );
}
