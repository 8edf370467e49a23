/** `carillon deliveries` */

import {
  type DeliveryState,
  deliveryStates,
  type MessageReport,
  type Messages,
} from "@carillon/client";
import { Command, Option } from "commander";
import {
  addExamples,
  type ClientOptions,
  clientCommand,
} from "../client-options.ts";
import {
  cancelCommand,
  resendCommand,
  settleCommand,
} from "../delivery-actions.ts";
import { deliveryLines } from "../delivery-details.ts";
import { failedStates, watchMessage } from "../delivery-table.ts";
import { findMessageId } from "../message-id.ts";
import { createOutput, hasColours, type Output } from "../output.ts";
import { withServer } from "../server.ts";
import { showProgress } from "../show-progress.ts";
import { stopSignal } from "../stop-signal.ts";

interface DeliveriesOptions extends ClientOptions {
  readonly failed?: boolean;
  readonly state?: string;
  readonly follow?: boolean;
}

export function deliveriesCommand(): Command {
  return addExamples(
    new Command("deliveries")
      .description(
        "Show what happened to a message at each endpoint, send deliveries again, cancel and settle them. Without a command it shows.",
      )
      .addCommand(showCommand(), { isDefault: true })
      .addCommand(resendCommand())
      .addCommand(cancelCommand())
      .addCommand(settleCommand()),
    [
      "carillon deliveries 0198c2f4a1b27c3d",
      "carillon deliveries resend 0198c2f4a1b27c3d --dry-run",
    ],
  );
}

function showCommand(): Command {
  return clientCommand(
    "show <message>",
    "Show what happened to a message at each endpoint: its state, each attempt, and when the next one is. A message is given by its id, or by 8 digits or more of its beginning.",
    [
      "carillon deliveries show 0198c2f4a1b27c3d8e4f5a6b7c8d9e0f",
      "carillon deliveries show 0198c2f4a1b27c3d --failed",
      "carillon deliveries show 0198c2f4a1b27c3d --follow",
      "carillon deliveries show 0198c2f4a1b27c3d -o json | jq .state",
    ],
  )
    .addOption(
      new Option(
        "--failed",
        `only those whose endpoint did not get it: ${failedStates.join(", ")}`,
      ).conflicts("state"),
    )
    .addOption(
      new Option("--state <state>", "only those in this state").choices(
        deliveryStates,
      ),
    )
    .option(
      "--follow",
      "go on until nothing is left to do: a live table on a terminal, else, or with --failed or --state, each change",
    )
    .action(async (message: string, options: DeliveriesOptions) => {
      const output = createOutput(options);
      await withServer(options, async ({ carillon: { messages } }) => {
        const id = await findMessageId(messages, message);
        if (options.follow) await follow(messages, id, options, output);
        else await show(messages, id, options, output);
      });
    });
}

async function show(
  messages: Messages,
  id: string,
  options: DeliveriesOptions,
  output: Output,
): Promise<void> {
  const colours = hasColours(process.stdout);
  let count = 0;
  for (const state of statesOf(options) ?? [undefined]) {
    for await (const delivery of messages.deliveries(id, { state })) {
      const lines = deliveryLines(delivery, { colours });
      output.result(lines.join("\n"), delivery);
      count++;
    }
  }
  if (count > 0 || output.json) return;
  const isFiltered = options.failed || options.state !== undefined;
  output.result(
    isFiltered
      ? "There are no such deliveries."
      : "There are no deliveries: the topic had no confirmed subscription when the message was published.",
    undefined,
  );
}

/** On a terminal a live table, unless only some are wanted; else each change. */
async function follow(
  messages: Messages,
  id: string,
  options: DeliveriesOptions,
  output: Output,
): Promise<void> {
  const signal = stopSignal();
  const forever = Number.POSITIVE_INFINITY;
  const states = statesOf(options);
  if (!output.json && process.stdout.isTTY && !states) {
    await showProgress(messages, id, forever, signal);
    return;
  }
  const known = new Map<string, string>();
  let counts: MessageReport["counts"] = {};
  for await (const report of watchMessage(messages, id, forever, signal)) {
    for (const state of states ?? deliveryStates) {
      // Another attempt leaves a delivery in the state it was in.
      const isSame = report.counts[state] === counts[state];
      if (isSame && state !== "retrying") continue;
      const deliveries = messages.deliveries(id, { state }, { signal });
      for await (const delivery of deliveries) {
        const stage = `${delivery.state} ${delivery.attemptCount}`;
        if (known.get(delivery.id) === stage) continue;
        known.set(delivery.id, stage);
        const lines = deliveryLines(delivery, { colours: false });
        output.result(lines.join("\n"), delivery);
      }
    }
    counts = report.counts;
  }
}

/** `undefined`: any. */
function statesOf({
  failed,
  state,
}: DeliveriesOptions): readonly DeliveryState[] | undefined {
  if (failed) return failedStates;
  return state === undefined ? undefined : [state];
}
