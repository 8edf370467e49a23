/** Values of the command line that may stand in a file: `@path`. */

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import type { JsonObject } from "@carillon/client";
import { InvalidArgumentError } from "commander";
import { CommandFailure } from "./command-failure.ts";
import { isJsonObject } from "./json-object.ts";

/**
 * The text of the file behind an `@`, in UTF-8; for `-`, all of standard input;
 * else the value as it is, where `@@` in front stands for one `@`. Files and
 * standard input lose their last line break, which editors put there.
 *
 * @param option for the message, such as `--html`
 * @throws CommandFailure when the file cannot be read, or standard input was
 * read before
 */
export async function textArgument(
  option: string,
  value: string,
): Promise<string> {
  if (value === "-") return await standardInput(option);
  if (!value.startsWith("@")) return value;
  if (value.startsWith("@@")) return value.slice(1);
  const bytes = await readBytes(option, value.slice(1));
  try {
    return withoutLastBreak(decode(bytes));
  } catch (cause) {
    throw new CommandFailure(
      `The file of ${option} is not UTF-8: ${value.slice(1)}.`,
      2,
      { cause },
    );
  }
}

/**
 * A JSON object, given itself or as `@` and the file that has it; for the options
 * of a command.
 *
 * @throws InvalidArgumentError
 */
export function parseJsonObject(value: string): JsonObject {
  let parsed: unknown;
  let why = "";
  try {
    parsed = JSON.parse(
      value.startsWith("@") ? decode(readFileSync(value.slice(1))) : value,
    );
  } catch (error) {
    // What JSON.parse says has the text in it.
    const isOfFile = error instanceof Error && "code" in error;
    if (isOfFile) why = ` The file cannot be read: ${error.message}.`;
  }
  if (isJsonObject(parsed)) return parsed;
  throw new InvalidArgumentError(
    `A JSON object is expected, or @ and a file that has one.${why}`,
  );
}

/** @throws CommandFailure when the file cannot be read */
export async function readBytes(
  option: string,
  path: string,
): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandFailure(
      `The file of ${option} cannot be read: ${why}.`,
      2,
      {
        cause,
      },
    );
  }
}

async function standardInput(option: string): Promise<string> {
  const { stdin } = process;
  if (stdin.readableEnded) {
    throw new CommandFailure(
      `Standard input was read already, and has nothing for ${option}: give it in a file, as @path.`,
      2,
    );
  }
  return withoutLastBreak(await textOf(stdin));
}

/** Without the mark that some editors put in front. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function withoutLastBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}
