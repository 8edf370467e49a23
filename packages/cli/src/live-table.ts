/**
 * A part of the terminal that is drawn again and again in the same place,
 * within its width and height, four times a second at most.
 */

import type { OutputStream } from "./output.ts";

/** A terminal with its height in lines. */
export interface Terminal extends OutputStream {
  readonly rows?: number;
}

/** What is drawn in one place. */
export interface LiveTable {
  /**
   * Draws lines in place of those before, unless that was a moment ago; the
   * last time always. Lines beyond the terminal's height are left out.
   */
  draw(lines: readonly string[], options?: { readonly last?: boolean }): void;
}

const minIntervalMs = 250;

/** Where the terminal does not say. */
const defaultHeight = 24;

/** @param now in milliseconds, from any point on */
export function createLiveTable(
  terminal: Terminal,
  now: () => number = () => performance.now(),
): LiveTable {
  let drawn: readonly string[] = [];
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    draw(lines, { last = false } = {}) {
      if (!last && now() - drawnAt < minIntervalMs) return;
      drawnAt = now();
      // One line is the cursor's.
      const shown = lines.slice(0, heightOf(terminal) - 1);
      if (shown.join("\n") === drawn.join("\n")) return;
      const up = drawn.length > 0 ? `\u001b[${drawn.length}A` : "";
      terminal.write(`${up}\u001b[J${shown.map((it) => `${it}\n`).join("")}`);
      drawn = shown;
    },
  };
}

/** Height of a terminal in lines. */
export function heightOf({ rows }: Terminal): number {
  return rows && rows > 1 ? rows : defaultHeight;
}
