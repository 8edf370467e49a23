/** `carillon inbound …` */

import type { InboundMessage } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { orNoSuch } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { ageText, parseSince } from "../time-text.ts";
import { wholeNumber } from "../whole-number.ts";

const columns: readonly Column<InboundMessage>[] = [
  { head: "id", cell: (one) => one.id },
  { head: "from", cell: (one) => one.from, max: 16 },
  { head: "text", cell: (one) => one.text, wraps: true },
  { head: "age", cell: (one) => ageText(one.receivedAt), align: "right" },
];

export function inboundCommand(): Command {
  return new Command("inbound")
    .description("List and show texts that phones sent to us.")
    .addCommand(list())
    .addCommand(show());
}

interface ListOptions extends ClientOptions {
  readonly from?: string;
  readonly to?: string;
  readonly since?: Date;
  readonly limit: number;
}

function list(): Command {
  return clientCommand("list", "List the texts, newest first.", [
    "carillon inbound list",
    "carillon inbound list --from +4915112345678 --since 7d",
  ])
    .option("--from <number>", "only from this phone")
    .option("--to <number>", "only to this number of ours")
    .option(
      "--since <time>",
      "only those received since: 90s, 30min, 2h, 7d ago, or an instant",
      (text: string) => parseSince(text),
    )
    .option("--limit <n>", "how many at most", wholeNumber(1, 1_000_000), 20)
    .action(async ({ from, to, since, limit, ...options }: ListOptions) => {
      const texts = await withServer(options, async ({ carillon }) => {
        const found: InboundMessage[] = [];
        for await (const one of carillon.inbound.list({ from, to, since })) {
          found.push(one);
          if (found.length === limit) break;
        }
        return found;
      });
      createOutput(options).rows(texts, columns, "There are no such texts.");
    });
}

function show(): Command {
  return clientCommand("show <text>", "Show one text, given by its id.", [
    "carillon inbound show 0198c2f4a1b27c3d8e4f5a6b7c8d9e0f",
  ]).action(async (id: string, options: ClientOptions) => {
    const found = await withServer(options, ({ carillon }) =>
      orNoSuch({ noun: "inbound", word: "text" }, id, carillon.inbound.get(id)),
    );
    createOutput(options).record(found, fields);
  });
}

/** What else the server knows of a text. */
function member(name: string): (one: InboundMessage) => string {
  return (one) => String(one[name] ?? "");
}

const fields: readonly Column<InboundMessage>[] = [
  { head: "id", cell: (one) => one.id },
  { head: "received", cell: (one) => one.receivedAt },
  { head: "from", cell: (one) => one.from },
  { head: "to", cell: (one) => one.to ?? "" },
  { head: "text", cell: (one) => one.text, wraps: true },
  { head: "keyword", cell: (one) => one.keyword ?? "" },
  { head: "provider", cell: member("provider") },
  { head: "carrier's id", cell: member("externalId") },
  { head: "published as", cell: (one) => one.messageId ?? "" },
];
