/** Values of the command line that may stand in a file: `@path`. */

import { readFile } from "node:fs/promises";
import type { JsonObject } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { isJsonObject } from "./json-object.ts";

/**
 * The text of the file behind an `@`, in UTF-8; else the value as it is.
 *
 * @param option for the message, such as `--html`
 * @throws CommandFailure when the file cannot be read
 */
export async function textArgument(
  option: string,
  value: string,
): Promise<string> {
  if (!value.startsWith("@")) return value;
  const bytes = await readBytes(option, value.slice(1));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CommandFailure(
      `The file of ${option} is not UTF-8: ${value.slice(1)}.`,
      2,
      { cause },
    );
  }
}

/**
 * A JSON object, given itself or as `@` and the file that has it.
 *
 * @throws CommandFailure
 */
export async function jsonArgument(
  option: string,
  value: string,
): Promise<JsonObject> {
  const text = await textArgument(option, value);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (isJsonObject(parsed)) return parsed;
  throw new CommandFailure(
    `Expected ${option} to be a JSON object, or @ and a file that has one.`,
    2,
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
