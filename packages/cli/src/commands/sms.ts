/** `carillon sms` */

import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";

export function smsCommand(): Command {
  return clientCommand(
    "sms <number> <text>",
    "Send a text message to one phone, without topic or subscription. The number is in international form.",
    ['carillon sms +4915112345678 "Your code is 271828"'],
  ).action(async (number: string, text: string, options: ClientOptions) => {
    const { messageId: id } = await withServer(options, ({ smn }) =>
      smn.sendSms(number, text),
    );
    createOutput(options).result(
      `Message ${id} is accepted; see carillon deliveries ${id}.`,
      { message_id: id },
    );
  });
}
