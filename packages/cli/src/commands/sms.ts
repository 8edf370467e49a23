/** `carillon sms` */

import type { Command } from "commander";
import { acceptedResult } from "../accepted-result.ts";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import {
  addMessageOptions,
  type MessageOptions,
  notBeforeOf,
  settingsOf,
} from "../message-options.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { checkDeliveryCommand } from "./check-delivery.ts";
import { sendBatchCommand } from "./send-batch.ts";
import { explainCommand } from "./sms-explain.ts";

interface SmsOptions extends ClientOptions, MessageOptions {}

export function smsCommand(): Command {
  const command = clientCommand(
    "sms <number> <text>",
    "Send a text message to one phone, without topic or subscription. The number is in international form.",
    [
      'carillon sms +4915112345678 "Your code is 271828"',
      'carillon sms +4915112345678 "Your code is 271828" --class otp --sender ACME',
      'carillon sms +4915112345678 "Hello" --provider twilio --delay 2h',
    ],
  );
  // What stands behind `explain` is an option of it, also where both have one.
  command
    .enablePositionalOptions()
    .addCommand(explainCommand())
    .addCommand(sendBatchCommand("sms"))
    .addCommand(checkDeliveryCommand());
  return addMessageOptions(command).action(
    async (endpoint: string, text: string, options: SmsOptions) => {
      const recipients = [{ protocol: "sms", endpoint }];
      const audience = { kind: "direct", recipients } as const;
      const { idempotencyKey } = options;
      const published = await withServer(options, ({ carillon }) =>
        carillon.messages.publish(
          { ...settingsOf(options), audience, text },
          { idempotencyKey },
        ),
      );
      const { message, record } = acceptedResult(
        published,
        notBeforeOf(options),
      );
      createOutput(options).result(message, record);
    },
  );
}
