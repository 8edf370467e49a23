/** `carillon deliveries` */

import {
  type Delivery,
  type DeliveryState,
  deliveryStates,
  type MessageReport,
  type Messages,
} from "@carillon/client";
import { Command, Option } from "commander";
import { cancelledText } from "../cancelled-message.ts";
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
import { heldText } from "../held-message.ts";
import { orNoSuch } from "../lookup.ts";
import {
  deliveryNaming,
  findDeliveryId,
  findMessageId,
  isDeliveryId,
} from "../message-id.ts";
import { createOutput, layoutFor, type Output } from "../output.ts";
import { refuseOptions } from "../refuse-options.ts";
import { writeSentence } from "../sentence.ts";
import { withServer } from "../server.ts";
import { howItGoesOn, showProgress } from "../show-progress.ts";
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
    "Show what happened to a message at each endpoint: its state, each attempt, and when the next one is. A message is given by its id, or by 8 digits or more of its beginning; with a dash and the number of a target it is that delivery alone.",
    [
      "carillon deliveries show 0198c2f4a1b27c3d8e4f5a6b7c8d9e0f",
      "carillon deliveries show 0198c2f4a1b27c3d-3",
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
    .action(
      async (message: string, options: DeliveriesOptions, command: Command) => {
        const output = createOutput(options);
        if (isDeliveryId(message)) {
          refuseOptions(
            command,
            ["failed", "state", "follow"],
            "for a message with all its deliveries",
          );
        }
        await withServer(options, async ({ carillon }) => {
          const { messages, deliveries } = carillon;
          const deliveryId = await findDeliveryId(messages, message);
          if (deliveryId !== undefined) {
            const asked = deliveries.get(deliveryId);
            showOne(await orNoSuch(deliveryNaming, message, asked), output);
            return;
          }
          const id = await findMessageId(messages, message);
          if (options.follow) await follow(messages, id, options, output);
          else await show(messages, id, options, output);
        });
      },
    );
}

function showOne(delivery: Delivery, output: Output): void {
  output.lines(deliveryLines(delivery, layoutFor(process.stdout)), delivery);
}

async function show(
  messages: Messages,
  id: string,
  options: DeliveriesOptions,
  output: Output,
): Promise<void> {
  let count = 0;
  for (const state of statesOf(options) ?? [undefined]) {
    for await (const delivery of messages.deliveries(id, { state })) {
      showOne(delivery, output);
      count++;
    }
  }
  if (count > 0 || output.json) return;
  const report = await messages.get(id);
  output.result(noneText(report, statesOf(options) !== undefined), undefined);
}

/** Why a message has no deliveries, or none that were asked for. */
function noneText(report: MessageReport, isFiltered: boolean): string {
  const held = cancelledText(report) ?? heldText(report);
  if (held !== undefined) return held;
  if (isFiltered) return "There are no such deliveries.";
  return report.fannedOut
    ? "There are no deliveries: the topic had no confirmed subscription when the message was published."
    : `There are no deliveries yet; ${howItGoesOn(report.id)}`;
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
  let isHeldTold = false;
  for await (const report of watchMessage(messages, id, forever, signal)) {
    const held = heldText(report);
    // Not on stdout, where programs read deliveries.
    if (held && !isHeldTold) writeSentence(held);
    isHeldTold ||= held !== undefined;
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
        output.lines(lines, delivery);
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
