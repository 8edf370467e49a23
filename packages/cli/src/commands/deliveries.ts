/** `carillon deliveries` */

import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { deliveryColumns } from "../delivery-table.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";

export function deliveriesCommand(): Command {
  return clientCommand(
    "deliveries <message>",
    "Show what happened to a message: one line per endpoint, with its state, attempts and last error.",
    [
      "carillon deliveries 0198c2f4a1b27c3d8e4f5a6b7c8d9e0f",
      "carillon deliveries 0198c2f4a1b27c3d8e4f5a6b7c8d9e0f -o json | jq .state",
    ],
  ).action(async (message: string, options: ClientOptions) => {
    createOutput(options).rows(
      await withServer(options, ({ carillon }) =>
        Array.fromAsync(carillon.messages.deliveries(message)),
      ),
      deliveryColumns,
      "There are no deliveries: the topic had no confirmed subscription when the message was published.",
    );
  });
}
