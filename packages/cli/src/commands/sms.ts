/** `carillon sms …` */

import { Command } from "commander";
import { storedCommands } from "../stored-commands.ts";
import { smsKind } from "../stored-kind.ts";
import { checkDeliveryCommand } from "./check-delivery.ts";
import { sendBatchCommand } from "./send-batch.ts";
import { explainCommand } from "./sms-explain.ts";
import { sendSmsCommand } from "./sms-send.ts";

export function smsCommand(): Command {
  const command = new Command("sms")
    .description(
      "Send texts to one phone each, without topic or subscription, and see what became of them. A text is given by its id, or by 8 digits or more of its beginning.",
    )
    .addCommand(sendSmsCommand());
  for (const one of storedCommands(smsKind)) command.addCommand(one);
  return command
    .addCommand(explainCommand())
    .addCommand(sendBatchCommand("sms"))
    .addCommand(checkDeliveryCommand());
}
