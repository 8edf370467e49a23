/** `carillon sms check-delivery` */

import type { DeliveryCheck } from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { createOutput } from "../output.ts";
import { createProgressLine } from "../progress.ts";
import { withServer } from "../server.ts";

export function checkDeliveryCommand(): Command {
  return clientCommand(
    "check-delivery",
    "Ask carriers now what became of texts, where they can be asked, and apply the idle timeout to those whose report did not come. For a scheduler such as cron. For operators.",
    ["carillon sms check-delivery", "carillon sms check-delivery -o json"],
  ).action(async (_: ClientOptions, command: Command) => {
    // Those before `check-delivery` count too.
    const options = command.optsWithGlobals<ClientOptions>();
    const progress = createProgressLine();
    progress.show("Asking carriers", 0, 1);
    try {
      const check = await withServer(options, ({ carillon }) =>
        carillon.batches.checkDeliveries(),
      );
      progress.clear();
      createOutput(options).lines(
        [`asked about: ${check.asked}`, idleLine(check)],
        check,
      );
    } finally {
      progress.clear();
    }
  });
}

function idleLine({ idle, idleTimeoutMinutes, failedIdle }: DeliveryCheck) {
  const end =
    idle > 0 ? (failedIdle ? "; they failed" : "; they stay sent") : "";
  return `without a report after ${idleTimeoutMinutes} minutes: ${idle}${end}`;
}
