/**
 * Which second arrivals a fault explains. At-least-once allows a repeat only
 * of an attempt that was *open* at a fault: it had reached its receiver, and
 * its outcome may not have been on disk. Seen from the receivers that is an
 * attempt that arrived before the fault ended, and was not answered earlier
 * than {@link writeWindowMs} before the fault began. Each such attempt
 * explains one repeat, after the fault began; any other repeat has no excuse.
 */

import type { Arrival } from "../harness/webhook-sink.ts";

/** Milliseconds since the epoch; a kill begins and ends in one instant. */
export interface FaultSpan {
  readonly from: number;
  readonly to: number;
}

/**
 * From a receiver's answer to the outcome on disk, at most: outcomes are
 * written when the range ends that they belong to, and what does not answer
 * holds a range up for 250 ms; then they share a transaction. Measured: 230 ms,
 * and 450 ms where twenty processes want two cores.
 */
export const writeWindowMs = 1000;

/** What reached the receiver's process before the fault may be read after. */
const slackMs = 100;

export interface Repeats {
  /** Attempts open at the faults, each fault counted by itself. */
  readonly open: number;
  readonly explained: number;
  /** Message and receiver of each repeat without an excuse. */
  readonly unexplained: readonly string[];
  /**
   * The longest time from a receiver's answer to the fault that made the
   * message come again, in milliseconds: to be compared with the window.
   */
  readonly oldestAnswerMs: number;
}

export function findRepeats(
  arrivals: readonly Arrival[],
  faults: readonly FaultSpan[],
): Repeats {
  let open = 0;
  let explained = 0;
  let oldestAnswerMs = 0;
  const unexplained: string[] = [];
  for (const arrival of arrivals) {
    open += faults.filter((fault) => isOpenAt(arrival, fault)).length;
  }
  const byTarget = Map.groupBy(
    arrivals,
    ({ messageId, path }) => `${messageId} ${path}`,
  );
  for (const [key, times] of byTarget) {
    for (const [i, next] of times.entries()) {
      const former = times[i - 1];
      if (former === undefined) continue;
      const fault = faults.find(
        (span) => isOpenAt(former, span) && next.at >= span.from,
      );
      if (fault === undefined) {
        unexplained.push(key);
        continue;
      }
      explained++;
      const age = fault.from - (former.answeredAt ?? fault.from);
      oldestAnswerMs = Math.max(oldestAnswerMs, age);
    }
  }
  return { open, explained, unexplained, oldestAnswerMs };
}

function isOpenAt({ at, answeredAt }: Arrival, { from, to }: FaultSpan) {
  return (
    at <= to + slackMs &&
    (answeredAt === undefined || answeredAt >= from - writeWindowMs)
  );
}
