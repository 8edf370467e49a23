/** How far long work is, on one line of a terminal; nothing elsewhere. */

import type { OutputStream } from "./output.ts";

/** A line that is written anew until it is taken away. */
export interface ProgressLine {
  /** `done` of `total`, in any unit. */
  show(step: string, done: number, total: number): void;
  /** Leaves an empty line for what comes next. */
  clear(): void;
}

/** A line is written again after this long. */
const pauseMs = 100;
const maxBarWidth = 30;

export function createProgressLine(
  stream: OutputStream = process.stderr,
  now: () => number = () => performance.now(),
): ProgressLine {
  let step = "";
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show(nextStep, done, total) {
      if (!stream.isTTY) return;
      if (nextStep === step && now() - shownAt < pauseMs) return;
      step = nextStep;
      shownAt = now();
      stream.write(
        `\r\x1b[K${format(step, done, total, stream.columns ?? 80)}`,
      );
    },
    clear() {
      if (step === "") return;
      step = "";
      stream.write("\r\x1b[K");
    },
  };
}

function format(
  step: string,
  done: number,
  total: number,
  columns: number,
): string {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  // One column stays free: a full line would go on in the next.
  const room = columns - step.length - percent.length - 5;
  const width = Math.min(maxBarWidth, room);
  if (width < 5) return `${step}${percent}`.slice(0, Math.max(0, columns - 1));
  const filled = Math.round(share * width);
  return `${step} [${"#".repeat(filled)}${" ".repeat(width - filled)}]${percent}`;
}
