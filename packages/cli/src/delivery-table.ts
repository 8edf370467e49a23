/** How deliveries are shown, and when a message is done. */

import { setTimeout } from "node:timers/promises";
import type { Delivery, MessageReport, Messages } from "@carillon/client";
import type { Column, Style } from "./output.ts";

const stateStyles: Readonly<Record<string, Style>> = {
  delivered: "green",
  sent: "green",
  debug: "green",
  waiting: "cyan",
  sending: "cyan",
  retrying: "yellow",
  unknown: "yellow",
  failed: "red",
  rejected: "red",
  expired: "red",
};

/** States that mean the endpoint did not get the message. */
export const failedStates = ["failed", "rejected", "expired", "unknown"];

/** How deliveries are shown in a table. */
export const deliveryColumns: readonly Column<Delivery>[] = [
  { head: "protocol", cell: (one) => one.protocol },
  { head: "endpoint", cell: (one) => one.endpoint, max: 60 },
  {
    head: "state",
    cell: (one) => one.state,
    style: (one) => stateStyles[one.state],
  },
  {
    head: "attempts",
    cell: (one) => String(one.attemptCount),
    align: "right",
  },
  {
    head: "status",
    cell: (one) => shown(one.attempts.at(-1)?.statusCode),
    align: "right",
  },
  {
    head: "latency ms",
    cell: (one) => shown(one.latencyMs),
    align: "right",
  },
  { head: "error", cell: (one) => one.error ?? "", wraps: true },
];

function shown(number: number | undefined): string {
  return number === undefined ? "" : String(number);
}

/**
 * Waits until the engine has nothing left to do for a message, or the time is
 * over; answers whether it has.
 *
 * @throws the signal's reason
 */
export async function waitUntilSettled(
  messages: Pick<Messages, "get">,
  messageId: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (let waitMs = 25; ; waitMs = Math.min(waitMs * 1.5, 1000)) {
    if (isSettled(await messages.get(messageId, { signal }))) return true;
    const leftMs = deadline - Date.now();
    if (leftMs <= 0) return false;
    await sleep(Math.min(waitMs, leftMs), signal);
  }
}

function isSettled({ counts, fannedOut }: MessageReport): boolean {
  const open = ["waiting", "sending", "retrying"].some(
    (state) => (counts[state] ?? 0) > 0,
  );
  return fannedOut && !open;
}

/** @throws the signal's reason, at once */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}
