/** `carillon jobs …` */

import type { DeliveryJob } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { jobLines, jobText, waitForJob } from "../job-progress.ts";
import { chooseOne } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { ageText } from "../time-text.ts";
import { wholeNumber } from "../whole-number.ts";

const columns: readonly Column<DeliveryJob>[] = [
  { head: "id", cell: (one) => one.id, isId: true },
  { head: "action", cell: (one) => one.action },
  { head: "state", cell: (one) => one.state },
  {
    head: "done",
    cell: (one) => `${one.done}/${one.total}`,
    align: "right",
  },
  { head: "changed", cell: (one) => String(one.changed), align: "right" },
  { head: "user", cell: (one) => one.userName, max: 16 },
  { head: "reason", cell: (one) => one.reason, max: 24 },
  { head: "age", cell: (one) => ageText(one.createdAt), align: "right" },
];

const naming = {
  noun: "jobs",
  word: "job",
  idOf: (one: DeliveryJob) => one.id,
};

export function jobsCommand(): Command {
  return new Command("jobs")
    .description(
      "List, show and cancel jobs: what carillon deliveries resend, cancel and settle do to many deliveries.",
    )
    .addCommand(list())
    .addCommand(show())
    .addCommand(cancel());
}

function list(): Command {
  return clientCommand("list", "List the project's jobs, newest first.", [
    "carillon jobs list",
    "carillon jobs list -o json | jq .changed",
  ])
    .option("--limit <n>", "how many at most", wholeNumber(1, 100_000), 20)
    .action(async (options: ClientOptions & { readonly limit: number }) => {
      const found = await withServer(options, async ({ carillon }) => {
        const jobs: DeliveryJob[] = [];
        for await (const job of carillon.deliveryJobs.list()) {
          jobs.push(job);
          if (jobs.length >= options.limit) break;
        }
        return jobs;
      });
      createOutput(options).rows(found, columns, "There are no jobs.");
    });
}

interface ShowOptions extends ClientOptions {
  readonly follow?: true;
}

function show(): Command {
  return clientCommand(
    "show <job>",
    "Show a job and how far it has got. A job is given by its id, or by 8 digits or more of its beginning.",
    [
      "carillon jobs show 0198c2f4a1b27c3d",
      "carillon jobs show 0198c2f4a1b27c3d --follow",
    ],
  )
    .option(
      "--follow",
      "wait until it is over, with a bar on a terminal; exit code 1 when it failed",
    )
    .action(async (job: string, options: ShowOptions) => {
      const found = await withServer(options, async ({ carillon }) => {
        const { deliveryJobs } = carillon;
        const all = await Array.fromAsync(deliveryJobs.list());
        const one = chooseOne(all, naming, job);
        return options.follow ? await waitForJob(deliveryJobs, one) : one;
      });
      createOutput(options).lines(jobLines(found), found);
    });
}

function cancel(): Command {
  return clientCommand(
    "cancel <job>",
    "End a job. What it has changed stays.",
    ["carillon jobs cancel 0198c2f4a1b27c3d"],
  ).action(async (job: string, options: ClientOptions) => {
    const ended = await withServer(options, async ({ carillon }) => {
      const { deliveryJobs } = carillon;
      const all = await Array.fromAsync(deliveryJobs.list());
      return deliveryJobs.cancel(chooseOne(all, naming, job).id);
    });
    createOutput(options).result(jobText(ended), ended);
  });
}
