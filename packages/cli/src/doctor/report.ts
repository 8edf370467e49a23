/** Findings for people: one paragraph each, as wide as the terminal. */

import { hasColours, type OutputStream, paint, type Style } from "../output.ts";
import type { Finding } from "./check.ts";

const marks: Readonly<Record<Finding["result"], readonly [string, Style]>> = {
  ok: ["✓", "green"],
  warning: ["!", "yellow"],
  failed: ["✗", "red"],
  skipped: ["–", "dim"],
};

const defaultWidth = 80;
/** Beside the names of checks text needs as much as this. */
const narrowestText = 30;

/**
 * What was found stands beside the check, or below it where that is too
 * narrow; what to do follows behind an arrow.
 */
export function formatFindings(
  findings: readonly Finding[],
  stream: Pick<OutputStream, "columns" | "isTTY">,
): string {
  const width = Math.max(20, stream.columns ?? defaultWidth);
  const names = Math.max(...findings.map(({ check }) => check.length));
  const isNarrow = width - names - 4 < narrowestText;
  const indent = isNarrow ? 2 : names + 4;
  return findings
    .map((finding) => {
      const [mark, style] = marks[finding.result];
      const head = `${paint(style, mark, hasColours(stream))} ${finding.check}`;
      const text = [
        ...wrap(finding.found, width - indent),
        ...wrap(`→ ${finding.advice}`, width - indent).filter(
          () => finding.advice !== undefined,
        ),
      ];
      const pad = " ".repeat(indent);
      if (isNarrow) return [head, ...text.map((line) => pad + line)].join("\n");
      const gap = " ".repeat(names - finding.check.length + 2);
      return `${head}${gap}${text.join(`\n${pad}`)}`;
    })
    .join("\n");
}

/** A word of more than a line, such as a path, stays whole: it is copied. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  const words = text.replace(/\p{Cc}+/gu, " ").split(" ");
  for (const word of words) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
