/** `carillon sms explain` */

import type { TextToExplain } from "@carillon/client";
import { type Command, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { explanationLines } from "../explanation-lines.ts";
import { messageClassNames } from "../message-options.ts";
import { createOutput, layoutFor } from "../output.ts";
import { withServer } from "../server.ts";

type ExplainOptions = ClientOptions & Pick<TextToExplain, "class" | "sender">;

export function explainCommand(): Command {
  return clientCommand(
    "explain <number> <text>",
    "Say where a text would go: the rule, the providers in their order, the segments and the cost. Nothing is sent. For operators.",
    [
      'carillon sms explain +4915112345678 "Your code is 271828" --class otp',
      'carillon sms explain +4915112345678 "Good morning" --sender ACME -o json',
    ],
  )
    .addOption(
      new Option("--class <class>", "kind of traffic").choices(
        messageClassNames,
      ),
    )
    .option("--sender <sender>", "sender ID that it asks for")
    .action(
      async (recipient: string, text: string, options: ExplainOptions) => {
        const { class: messageClass, sender } = options;
        const explained = await withServer(options, ({ carillon }) =>
          carillon.sms.explain({
            recipient,
            text,
            class: messageClass,
            sender,
          }),
        );
        createOutput(options).lines(
          explanationLines(explained, layoutFor(process.stdout)),
          explained,
        );
      },
    );
}
