/** `carillon sms send-batch`, `carillon emails send-batch` */

import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { createOutput } from "../output.ts";
import { createProgressLine } from "../progress.ts";
import { withServer } from "../server.ts";
import { wholeNumber } from "../whole-number.ts";

/** As many as the service takes in one run. */
const maxLimit = 10_000;

type BatchOptions = ClientOptions & { readonly limit?: number };

const groups = {
  sms: { name: "sms", what: "texts" },
  email: { name: "emails", what: "mails" },
} as const;

export function sendBatchCommand(channel: keyof typeof groups): Command {
  const { name, what } = groups[channel];
  return clientCommand(
    "send-batch",
    `Send ${what} that batch mode has stored: the highest priority first, then the oldest. For a scheduler such as cron; several at once send different ones. For operators.`,
    [
      `carillon ${name} send-batch`,
      `carillon ${name} send-batch --limit 1000 -o json`,
    ],
  )
    .option(
      "--limit <n>",
      "messages at most; by default as many as the configuration says",
      wholeNumber(1, maxLimit),
    )
    .action(async (_: BatchOptions, command: Command) => {
      // Those before `send-batch` count too.
      const { limit, ...options } = command.optsWithGlobals<BatchOptions>();
      const progress = createProgressLine();
      progress.show("Sending", 0, 1);
      try {
        const run = await withServer(options, ({ carillon }) =>
          carillon.batches.run(channel, { limit }),
        );
        progress.clear();
        const lines = [
          ...countLines("sent messages", run.sent),
          ...countLines("failed messages", run.failed),
          ...(run.pending.length > 0
            ? countLines("pending messages", run.pending)
            : []),
        ];
        createOutput(options).lines(lines, run);
      } finally {
        progress.clear();
      }
    });
}

/** As many as fit beside each other on a terminal of 80 columns. */
const idsPerLine = 2;

/** What pymess prints, its ids a few in a line each. */
function countLines(what: string, ids: readonly string[]): readonly string[] {
  const lines = [`${what}: ${ids.length}`];
  for (let at = 0; at < ids.length; at += idsPerLine) {
    lines.push(`  ${ids.slice(at, at + idsPerLine).join("  ")}`);
  }
  return lines;
}
