/** `carillon guards` */

import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { guardLines } from "../guard-lines.ts";
import { createOutput, layoutFor } from "../output.ts";
import { withServer } from "../server.ts";

interface GuardOptions extends ClientOptions {
  readonly spendOf?: string;
}

export function guardsCommand(): Command {
  return clientCommand(
    "guards",
    "Show what holds texts before a carrier gets them: the limits in force, what they held, and what is spent. For operators.",
    [
      "carillon guards",
      "carillon guards --spend-of 0123456789abcdef0123456789abcdef",
    ],
  )
    .option(
      "--spend-of <project>",
      "show the spend of this project (its id), too",
    )
    .action(async ({ spendOf, ...options }: GuardOptions) => {
      const report = await withServer(options, ({ carillon }) =>
        carillon.guards.get({ project: spendOf }),
      );
      const layout = layoutFor(process.stdout);
      createOutput(options).lines(guardLines(report, layout), report);
    });
}
