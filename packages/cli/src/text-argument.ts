/** Texts that are given on the command line, or are too long for it. */

import { text } from "node:stream/consumers";
import { CommandFailure } from "./command-failure.ts";

/**
 * The text given; without one, or for `-`, all of standard input less its last
 * line break.
 *
 * @param usage the command, for the message
 * @throws CommandFailure when there is no text, and a terminal would be read
 */
export async function textFrom(
  words: string | undefined,
  usage: string,
): Promise<string> {
  if (words !== undefined && words !== "-") return words;
  if (words === undefined && process.stdin.isTTY) {
    throw new CommandFailure(
      `Expected a text: ${usage} "…", or - to type it and end with Ctrl-D.`,
      2,
    );
  }
  return (await text(process.stdin)).replace(/\r?\n$/, "");
}
