/** `carillon pull …` */

import { Command } from "commander";
import { addExamples } from "../client-options.ts";
import { deadCommand, redriveCommand } from "./pull-dead.ts";
import { receiveCommand } from "./pull-receive.ts";
import { ackCommand, extendCommand, nackCommand } from "./pull-settle.ts";

export function pullCommand(): Command {
  return addExamples(
    new Command("pull")
      .description(
        "Fetch messages from a mailbox, confirm them, and see to those that nobody could handle. Without a command it fetches. A mailbox is given by its name, which is the endpoint of its pull subscriptions, or by the URN or id of one of these.",
      )
      .addCommand(receiveCommand(), { isDefault: true })
      .addCommand(ackCommand())
      .addCommand(nackCommand())
      .addCommand(extendCommand())
      .addCommand(deadCommand())
      .addCommand(redriveCommand()),
    [
      "carillon pull hall-display --ack",
      "carillon pull hall-display --follow --exec './show.sh'",
      "carillon pull dead hall-display",
    ],
  );
}
