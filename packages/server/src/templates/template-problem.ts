/** Says where in a source something is wrong. */

import type { TemplateProblem } from "@carillon/core";

const maxTextLength = 200;

/** @param at offset into the source, in UTF-16 units */
export function problemAt(
  source: string,
  at: number,
  message: string,
): TemplateProblem {
  const before = source.slice(0, Math.max(at, 0));
  const start = before.lastIndexOf("\n") + 1;
  const end = source.indexOf("\n", start);
  return {
    message,
    line: before.split("\n").length,
    column: [...before.slice(start)].length + 1,
    text: source
      .slice(start, end < 0 ? undefined : end)
      .replace(/\r$/, "")
      .slice(0, maxTextLength),
  };
}
