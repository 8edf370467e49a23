/** How far a job has got: a line while it goes on, a sentence when it is over. */

import type { DeliveryJob, DeliveryJobs } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { createProgressLine } from "./progress.ts";
import { stopSignal } from "./stop-signal.ts";

const skipTexts: Readonly<Record<string, string>> = {
  state: "in another state by then",
  unwanted: "not wanted any more",
  expired: "over, and without --time-to-live",
  unreadable: "damaged",
};

/** Such as `Done: 12 of 14 changed; skipped: 2 over, …`. */
export function jobText(job: DeliveryJob): string {
  const { id, state, done, changed, messages, skipped, error } = job;
  const undelivered =
    messages === 0
      ? ""
      : `; ${messages} ${messages === 1 ? "message" : "messages"} cancelled before they went out`;
  const left = Object.entries(skipped)
    .map(([reason, count]) => `${count} ${skipTexts[reason] ?? reason}`)
    .join(", ");
  return [
    `Job ${id} (${job.action}) by ${job.userName}: ${job.reason}`,
    `${state}: ${done} of ${job.isTotalExact ? "" : "at least "}${job.total} looked at, ${changed} changed${undelivered}${left && `; skipped: ${left}`}`,
    ...(error === undefined ? [] : [error]),
  ].join("\n");
}

/**
 * Waits for the end of a job, with a line of progress on a terminal.
 *
 * @throws CommandFailure when it failed, or at Ctrl-C, after which it goes on
 */
export async function waitForJob(
  jobs: Pick<DeliveryJobs, "watch">,
  job: DeliveryJob,
): Promise<DeliveryJob> {
  const signal = stopSignal();
  const line = createProgressLine();
  let last = job;
  try {
    for await (const next of jobs.watch(job.id, { signal })) {
      last = next;
      line.show(next.action, next.done, Math.max(next.total, next.done));
    }
  } catch (error) {
    if (error !== signal.reason || !(error instanceof CommandFailure)) {
      throw error;
    }
    throw new CommandFailure(
      `Interrupted; the job goes on: carillon jobs show ${job.id} shows how far it is, carillon jobs cancel ${job.id} ends it.`,
      error.exitCode,
    );
  } finally {
    line.clear();
  }
  if (last.state === "failed") throw new CommandFailure(jobText(last));
  return last;
}
