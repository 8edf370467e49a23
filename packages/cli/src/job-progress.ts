/** How far a job has got: a line while it goes on, a sentence when it is over. */

import type { DeliveryJob, DeliveryJobs } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { printable } from "./printable.ts";
import { createProgressLine } from "./progress.ts";
import { stopSignal } from "./stop-signal.ts";
import { instantText } from "./time-text.ts";

const skipTexts: Readonly<Record<string, string>> = {
  state: "in another state by then",
  unwanted: "not wanted any more",
  expired: "over, and without --time-to-live",
  not_queued: "not taken by a mailbox that is full or disabled",
  unreadable: "damaged",
};

/** Such as `Done: 12 of 14 changed; skipped: 2 over, …`. */
export function jobText(job: DeliveryJob): string {
  const { id, state, done, changed, messages, skipped, error } = job;
  const undelivered =
    messages === 0
      ? ""
      : `; ${messages} ${messages === 1 ? "message" : "messages"} cancelled that were not fully fanned out`;
  const left = Object.entries(skipped)
    .map(([reason, count]) => `${count} ${skipTexts[reason] ?? reason}`)
    .join(", ");
  return [
    `Job ${id} (${job.action}) by ${job.userName}: ${job.reason}`,
    `${state}: ${done} of ${job.isTotalExact ? "" : "at least "}${job.total} looked at, ${changed} changed${undelivered}${left && `; skipped: ${left}`}`,
    ...(error === undefined ? [] : [error]),
  ].join("\n");
}

/** The same, with which deliveries were meant, and when it was made and over. */
export function jobLines(job: DeliveryJob): string[] {
  const { filter = {}, timeToLiveSeconds, createdAt } = job;
  const facts = [
    ["meant", filterText(filter)],
    ["new life", timeToLiveSeconds && `${timeToLiveSeconds} s`],
    ["made", createdAt],
    ["begun", job.startedAt],
    ["over", job.finishedAt],
  ] as const;
  return [
    ...jobText(job).split("\n").map(printable),
    ...facts.flatMap(([name, value]) =>
      typeof value === "string"
        ? [`  ${name.padEnd(9)} ${printable(instantText(value))}`]
        : [],
    ),
  ];
}

function filterText(filter: unknown): string {
  const parts = Object.entries(filter ?? {}).map(
    ([name, value]) => `${name} ${[value].flat().join(", ")}`,
  );
  return parts.length === 0 ? "all of the project" : parts.join("; ");
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
      `Interrupted; the job goes on: carillon jobs show ${job.id} --follow waits for it again, carillon jobs cancel ${job.id} ends it.`,
      error.exitCode,
    );
  } finally {
    line.clear();
  }
  if (last.state === "failed") throw new CommandFailure(jobText(last));
  return last;
}
