/** Sentences for people: within the terminal's width, whole everywhere else. */

import stringWidth from "string-width";
import type { OutputStream } from "./output.ts";

/** Writes a sentence, or several with line breaks in between, and ends the line. */
export function writeSentence(
  text: string,
  stream: OutputStream = process.stderr,
  lists: ListLines = "kept",
): void {
  stream.write(`${fitSentence(text, stream, lists)}\n`);
}

/** Whether lines that begin with a blank are something to copy, or sentences. */
export type ListLines = "kept" | "wrapped";

/**
 * Broken between words where the stream is a terminal. Lines that begin with a
 * blank stay as they are, unless they are to be wrapped: then each goes on two columns
 * further in. Words that are longer than the terminal is wide stay whole, and
 * commands.
 */
export function fitSentence(
  text: string,
  { isTTY, columns }: Pick<OutputStream, "isTTY" | "columns">,
  lists: ListLines = "kept",
): string {
  if (!isTTY || !columns) return text;
  return text
    .split("\n")
    .flatMap((line) =>
      line.startsWith(" ")
        ? lists === "kept"
          ? [line]
          : wrapItem(keepCommands(line), columns)
        : wrapWords(keepCommands(line), columns),
    )
    .join("\n")
    .replaceAll(keptBlank, " ");
}

/** Lines of whole words; a word that is longer than the width has its own. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last === "") lines[lines.length - 1] = word;
    else if (stringWidth(last) + 1 + stringWidth(word) <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** A line with its indent; what does not fit goes on two columns further in. */
export function wrapItem(line: string, columns = Infinity): string[] {
  const text = line.trimStart();
  const indent = line.slice(0, line.length - text.length);
  return wrapWords(text, columns - indent.length - 2).map((part, at) =>
    // Two blanks between parts leave one at the end.
    `${indent}${at === 0 ? "" : "  "}${part}`.trimEnd(),
  );
}

/** Stands for a blank within a command; as wide, and in no text. */
const keptBlank = "\ue000";

/** `carillon deliveries 0198… --follow`, whose parts would not run by themselves. */
const command =
  /\bcarillon(?: [a-z-]+){1,2}(?: (?:<[^>]+>|--[a-z-]+|[0-9a-f]{8,}|https?:\S+))*/g;

function keepCommands(line: string): string {
  return line.replace(command, (found) => found.replaceAll(" ", keptBlank));
}
