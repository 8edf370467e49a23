/** Reads the configuration file: JSON in which comments are allowed. */

import { readConfigText } from "./bounded-file.ts";

/**
 * Reads a JSON file with `//` and block comments and trailing commas, and with
 * the byte order mark that some editors write.
 *
 * @throws Error when it cannot be read or is not JSON; the message is a
 * clause that says why.
 */
export function readConfigFile(path: string): unknown {
  const text = readConfigText(path).replace(/^\ufeff/, "");
  return JSON.parse(withoutComments(text));
}

/**
 * Blanks comments and trailing commas but keeps every other character where
 * it is, so that positions in the parser's errors fit the file.
 */
export function withoutComments(text: string): string {
  const blank = (part: string) => part.replace(/[^\n]/g, " ");
  // The first alternative takes strings whole: what looks like a comment
  // inside them is theirs.
  return text
    .replace(/"(?:\\.|[^"\\])*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (part) =>
      part.startsWith('"') ? part : blank(part),
    )
    .replace(/"(?:\\.|[^"\\])*"|,(?=\s*[}\]])/g, (part) =>
      part.startsWith('"') ? part : " ",
    );
}
