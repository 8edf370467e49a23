/** Pieces of the pages that `write-reference.ts` writes. */

export const origin =
  "<!-- Written by scripts/write-reference.ts; do not edit. -->";

export function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** @param width in characters */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** The anchor of a heading, as GitHub makes it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
