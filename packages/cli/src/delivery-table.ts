/** How deliveries are shown, and when a message is done. */

import { type Answer, isAnswer, shown } from "./answer.ts";
import type { Column, Style } from "./output.ts";
import type { Service } from "./service.ts";

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
export const deliveryColumns: readonly Column<Answer>[] = [
  { head: "protocol", cell: (one) => shown(one.protocol) },
  { head: "endpoint", cell: (one) => shown(one.endpoint), max: 60 },
  {
    head: "state",
    cell: (one) => shown(one.state),
    style: (one) => stateStyles[shown(one.state)],
  },
  {
    head: "attempts",
    cell: (one) => shown(one.attemptCount),
    align: "right",
  },
  {
    head: "status",
    cell: (one) => shown(lastAttempt(one).statusCode),
    align: "right",
  },
  {
    head: "latency ms",
    cell: (one) => shown(one.latencyMs),
    align: "right",
  },
  { head: "error", cell: (one) => shown(one.error), wraps: true },
];

function lastAttempt(delivery: Answer): Answer {
  const { attempts } = delivery;
  const last: unknown = Array.isArray(attempts) ? attempts.at(-1) : undefined;
  return isAnswer(last) ? last : {};
}

/**
 * Waits until the engine has nothing left to do for a message, or the time is
 * over; answers whether it has.
 */
export async function waitUntilSettled(
  service: Service,
  messageId: string,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (let waitMs = 25; ; waitMs = Math.min(waitMs * 1.5, 1000)) {
    if (isSettled(await service.findMessage(messageId))) return true;
    const leftMs = deadline - Date.now();
    if (leftMs <= 0) return false;
    await new Promise((resolve) =>
      setTimeout(resolve, Math.min(waitMs, leftMs)),
    );
  }
}

function isSettled(message: Answer): boolean {
  const counts: Answer = isAnswer(message.counts) ? message.counts : {};
  const open = ["waiting", "sending", "retrying"].some(
    (state) => Number(counts[state] ?? 0) > 0,
  );
  return message.fannedOut === true && !open;
}
