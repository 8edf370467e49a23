/** Shows how the deliveries of a message go on, until nothing is left to do. */

import type { MessageReport, Messages } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { progressLines, readProgress } from "./delivery-progress.ts";
import { isSettled, watchMessage } from "./delivery-table.ts";
import { createLiveTable, heightOf, type Terminal } from "./live-table.ts";
import { hasColours } from "./output.ts";

/** Where the terminal does not say. */
const defaultWidth = 80;

/**
 * Draws a live table until all is settled or the time is over; answers the last
 * report.
 *
 * @throws CommandFailure that says how to go on, when the signal aborts
 */
export async function showProgress(
  messages: Messages,
  id: string,
  timeoutMs: number,
  signal: AbortSignal,
  terminal: Terminal = process.stdout,
): Promise<MessageReport | undefined> {
  const table = createLiveTable(terminal);
  return await explainAbort(id, signal, async () => {
    let last: MessageReport | undefined;
    for await (const report of watchMessage(messages, id, timeoutMs, signal)) {
      last = report;
      const room = {
        width: terminal.columns ?? defaultWidth,
        height: heightOf(terminal),
        colours: hasColours(terminal),
      };
      const progress = await readProgress(messages, report, room, signal);
      // Nobody gets it: that is said in a sentence.
      if (isSettled(report) && progress.deliveries.length === 0) break;
      table.draw(progressLines(progress, room), { last: isSettled(report) });
    }
    return last;
  });
}

/**
 * Waits without a word; answers the last report.
 *
 * @throws CommandFailure that says how to go on, when the signal aborts
 */
export async function waitUntilSettled(
  messages: Messages,
  id: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<MessageReport | undefined> {
  return await explainAbort(id, signal, async () => {
    let last: MessageReport | undefined;
    for await (const report of watchMessage(messages, id, timeoutMs, signal)) {
      last = report;
    }
    return last;
  });
}

/** How a message is looked at later. */
export function howItGoesOn(id: string): string {
  return `carillon deliveries ${id} --follow shows how they go on.`;
}

async function explainAbort<Result>(
  id: string,
  signal: AbortSignal,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (error !== signal.reason || !(error instanceof CommandFailure)) {
      throw error;
    }
    throw new CommandFailure(`Interrupted; ${howItGoesOn(id)}`, error.exitCode);
  }
}
