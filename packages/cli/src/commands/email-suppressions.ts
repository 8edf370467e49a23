/** `carillon emails suppressions …` */

import type { EmailSuppression } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { orNoSuch } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { ageText } from "../time-text.ts";

const columns: readonly Column<EmailSuppression>[] = [
  { head: "address", cell: (one) => one.address },
  { head: "reason", cell: (one) => one.reason },
  { head: "count", cell: (one) => String(one.count), align: "right" },
  { head: "age", cell: (one) => ageText(one.since), align: "right" },
  { head: "detail", cell: (one) => one.detail ?? "", max: 60 },
];

export function emailSuppressionsCommand(): Command {
  return new Command("suppressions")
    .description(
      "List, add and remove addresses that get no mails: they bounced, complained, or were put on the list.",
    )
    .addCommand(list())
    .addCommand(add())
    .addCommand(remove());
}

function list(): Command {
  return clientCommand(
    "list [address]",
    "List the addresses that get no mails, or see whether one does.",
    [
      "carillon emails suppressions list",
      "carillon emails suppressions list ann@example.com",
    ],
  ).action(async (address: string | undefined, options: ClientOptions) => {
    const found = await withServer(options, ({ carillon }) =>
      Array.fromAsync(carillon.emailSuppressions.list({ address })),
    );
    createOutput(options).rows(found, columns, "No address is suppressed.");
  });
}

function add(): Command {
  return clientCommand("add <address>", "Keep mails from an address.", [
    'carillon emails suppressions add ann@example.com --detail "by letter"',
  ])
    .option("--detail <text>", "why")
    .action(
      async (
        address: string,
        {
          detail,
          ...options
        }: ClientOptions & { readonly detail?: string | undefined },
      ) => {
        const added = await withServer(options, ({ carillon }) =>
          carillon.emailSuppressions.create({ address, detail }),
        );
        createOutput(options).result(
          `${added.address} gets no more mails.`,
          added,
        );
      },
    );
}

function remove(): Command {
  return clientCommand(
    "remove <address>",
    "Let an address get mails again. What was suppressed is not sent by itself.",
    ["carillon emails suppressions remove ann@example.com"],
  ).action(async (address: string, options: ClientOptions) => {
    await withServer(options, ({ carillon }) =>
      orNoSuch(
        { noun: "emails suppressions", word: "suppressed address" },
        address,
        carillon.emailSuppressions.delete(address, {
          ignoreMissing: false,
        }),
      ),
    );
    createOutput(options).result(`${address} gets mails again.`, { address });
  });
}
