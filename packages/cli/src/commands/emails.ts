/** `carillon emails …` */

import { Command } from "commander";
import { storedCommands } from "../stored-commands.ts";
import { emailKind } from "../stored-kind.ts";
import { emailSuppressionsCommand } from "./email-suppressions.ts";
import { sendEmailCommand } from "./emails-send.ts";
import { sendBatchCommand } from "./send-batch.ts";

export function emailsCommand(): Command {
  const command = new Command("emails")
    .description(
      "Send mails to one address each, without topic or subscription, and see what became of them. A mail is given by its id, or by 8 digits or more of its beginning.",
    )
    .addCommand(sendEmailCommand());
  for (const one of storedCommands(emailKind)) command.addCommand(one);
  return command
    .addCommand(sendBatchCommand("email"))
    .addCommand(emailSuppressionsCommand());
}
