/** `carillon opt-outs …` */

import type { OptOut } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { orNoSuch } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { ageText } from "../time-text.ts";

const columns: readonly Column<OptOut>[] = [
  { head: "recipient", cell: (one) => one.recipient },
  { head: "sender", cell: (one) => one.sender ?? "all", max: 16 },
  { head: "keyword", cell: (one) => one.keyword, max: 20 },
  { head: "age", cell: (one) => ageText(one.since), align: "right" },
];

export function optOutsCommand(): Command {
  return new Command("opt-outs")
    .description(
      "List, create and delete opt-outs: who does not want texts. For operators.",
    )
    .addCommand(list())
    .addCommand(create())
    .addCommand(remove());
}

interface SenderOptions extends ClientOptions {
  readonly sender?: string;
}

function list(): Command {
  return clientCommand(
    "list [recipient]",
    "List who does not want texts, or what one recipient does not want.",
    ["carillon opt-outs list", "carillon opt-outs list +4915112345678"],
  ).action(async (recipient: string | undefined, options: ClientOptions) => {
    const optOuts = await withServer(options, ({ carillon }) =>
      Array.fromAsync(carillon.optOuts.list({ recipient })),
    );
    createOutput(options).rows(optOuts, columns, "There are no opt-outs.");
  });
}

function create(): Command {
  return clientCommand("create <recipient>", "Keep texts from somebody.", [
    "carillon opt-outs create +4915112345678",
    'carillon opt-outs create +4915112345678 --sender ACME --keyword "by letter"',
  ])
    .option("--sender <sender>", "only texts from this number or name of ours")
    .option("--keyword <text>", "why")
    .action(
      async (
        recipient: string,
        {
          sender,
          keyword,
          ...options
        }: SenderOptions & { readonly keyword?: string },
      ) => {
        const optOut = await withServer(options, ({ carillon }) =>
          carillon.optOuts.create({ recipient, sender, keyword }),
        );
        createOutput(options).result(
          `${optOut.recipient} gets no more texts from ${optOut.sender ?? "us"}.`,
          optOut,
        );
      },
    );
}

function remove(): Command {
  return clientCommand(
    "delete <recipient>",
    "Let somebody get texts again: from one sender if it is named, else from all.",
    ["carillon opt-outs delete +4915112345678"],
  )
    .option("--sender <sender>", "only texts from this number or name of ours")
    .action(
      async (recipient: string, { sender, ...options }: SenderOptions) => {
        await withServer(options, ({ carillon }) =>
          orNoSuch(
            { noun: "opt-outs", word: "opt-out of" },
            recipient,
            carillon.optOuts.delete(recipient, sender, {
              ignoreMissing: false,
            }),
          ),
        );
        createOutput(options).result(
          `${recipient} gets texts from ${sender ?? "us"} again.`,
          { recipient, sender, deleted: true },
        );
      },
    );
}
