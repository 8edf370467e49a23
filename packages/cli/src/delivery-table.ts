/** How deliveries are shown, and when a message is done. */

import { setTimeout } from "node:timers/promises";
import type {
  Attempt,
  Delivery,
  MessageReport,
  Messages,
} from "@carillon/client";
import { shortDeliveryId } from "./message-id.ts";
import type { Column, Style } from "./output.ts";
import { durationText } from "./time-text.ts";

/** How a state is painted. */
export const stateStyles: Readonly<Record<string, Style>> = {
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
  { head: "id", cell: ({ id }) => shortDeliveryId(id) },
  { head: "protocol", cell: (one) => one.protocol },
  { head: "endpoint", cell: (one) => one.endpoint, max: 30 },
  {
    head: "state",
    cell: (one) => one.state,
    style: (one) => stateStyles[one.state],
  },
  { head: "#", cell: (one) => String(one.attemptCount), align: "right" },
  { head: "", cell: (one) => deliveryNote(one), wraps: true },
];

/**
 * What there is to say of a delivery beside its state: when it goes on and
 * why, why it failed, or how long it took.
 *
 * @param isShort for narrow terminals: `25 s: HTTP 503`
 */
export function deliveryNote(
  {
    state,
    protocol,
    attempts,
    nextAttemptAt,
    waitReason,
    error,
    latencyMs,
  }: Delivery,
  now = Date.now(),
  isShort = false,
): string {
  if (waitReason === "paused") return "its provider is paused";
  if (waitReason !== undefined) return "waits for the batch sender";
  const last = attempts.at(-1);
  if (nextAttemptAt !== undefined && last) {
    const wait = durationText(Date.parse(nextAttemptAt) - now);
    const reason = reasonOf(protocol, last);
    const when = isShort ? wait : `next attempt in ${wait}`;
    return reason === "" ? when : `${when}: ${reason}`;
  }
  if (error !== undefined && state !== "delivered") return error;
  return latencyMs === undefined ? "" : `after ${durationText(latencyMs)}`;
}

/** Such as `HTTP 503`: the code alone where there is one. */
function reasonOf(
  protocol: string,
  { statusCode, error = "" }: Attempt,
): string {
  if (statusCode === undefined) return error;
  return `${protocol === "email" ? "SMTP" : "HTTP"} ${statusCode}`;
}

/** Such as `3 delivered, 1 retrying, 1 failed`; what went wrong stands last. */
export function countsText(counts: MessageReport["counts"]): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => rankOf(a) - rankOf(b))
    .map(([state, count]) => `${count} ${state}`)
    .join(", ");
}

function rankOf(state: string): number {
  if (failedStates.includes(state)) return 2;
  return stateStyles[state] === "green" ? 0 : 1;
}

/** Whether the engine has nothing left to do for a message. */
export function isSettled({ counts, fannedOut }: MessageReport): boolean {
  const open = ["waiting", "sending", "retrying"].some(
    (state) => (counts[state] ?? 0) > 0,
  );
  return fannedOut && !open;
}

/** How many of a message's endpoints did not get it. */
export function failedCount({ counts }: MessageReport): number {
  return failedStates.reduce((sum, it) => sum + (counts[it] ?? 0), 0);
}

/**
 * Reports of a message, each once it is known, until the engine has nothing
 * left to do for it or the time is over.
 *
 * @throws the signal's reason
 */
export async function* watchMessage(
  messages: Pick<Messages, "get">,
  messageId: string,
  timeoutMs: number,
  signal: AbortSignal,
): AsyncGenerator<MessageReport, void, undefined> {
  const deadline = Date.now() + timeoutMs;
  for (let waitMs = 25; ; waitMs = Math.min(waitMs * 1.5, 1000)) {
    const report = await messages.get(messageId, { signal });
    yield report;
    const leftMs = deadline - Date.now();
    if (isSettled(report) || leftMs <= 0) return;
    await sleep(Math.min(waitMs, leftMs), signal);
  }
}

/** @throws the signal's reason, at once */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}
