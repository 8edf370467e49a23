/** Texts that are given on the command line, or are too long for it. */

import { text } from "node:stream/consumers";
import { CommandFailure } from "./command-failure.ts";

/**
 * The text given; without one, or for `-`, all of standard input less its last
 * line break.
 *
 * @param usage the command, for the message
 * @throws CommandFailure when there is no text, or a terminal would be read
 */
export async function textFrom(
  words: string | undefined,
  usage: string,
): Promise<string> {
  const given = words !== undefined && words !== "-" ? words : undefined;
  if (given) return given;
  if (words === undefined && process.stdin.isTTY) {
    throw new CommandFailure(
      `Expected a text: ${usage} "…", or - to type it and end with Ctrl-D.`,
      2,
    );
  }
  const read = given ?? (await text(process.stdin)).replace(/\r?\n$/, "");
  if (read !== "") return read;
  throw new CommandFailure(
    given === undefined
      ? `Standard input has no text: ${usage} "…" gives one.`
      : `Expected a text that is not empty: ${usage} "…".`,
    2,
  );
}
