/** `carillon audit …` */

import type { AuditEntry } from "@carillon/client";
import { auditActionNames } from "@carillon/server/audit-actions";
import { Command, InvalidArgumentError, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";

const columns: readonly Column<AuditEntry>[] = [
  { head: "at", cell: (entry) => entry.at },
  { head: "user", cell: (entry) => entry.userName ?? "" },
  { head: "address", cell: (entry) => entry.address ?? "" },
  { head: "action", cell: (entry) => entry.action },
  { head: "count", cell: (entry) => String(entry.count), align: "right" },
  { head: "target", cell: (entry) => entry.target ?? "" },
  {
    head: "details",
    cell: ({ details = {} }) =>
      Object.entries(details)
        .map(([name, value]) => `${name}: ${value}`)
        .join("; "),
  },
];

export function auditCommand(): Command {
  return new Command("audit")
    .description(
      "Show who logged in and who changed users, keys, policies and settings. Administrators see what is about their domain, operators all.",
    )
    .addCommand(list());
}

function list(): Command {
  return clientCommand("list", "List the entries, newest first.", [
    "carillon audit list",
    "carillon audit list --action login_refused",
  ])
    .option("--limit <n>", "how many at most", toCount, 100)
    .addOption(
      new Option("--action <action>", "only of this kind").choices(
        auditActionNames,
      ),
    )
    .option("--user-id <id>", "only of this user")
    .action(
      async (
        options: ClientOptions & {
          readonly limit: number;
          readonly action?: string;
          readonly userId?: string;
        },
      ) => {
        const entries = await withServer(options, async ({ carillon }) => {
          const { limit, ...query } = options;
          const found: AuditEntry[] = [];
          for await (const entry of carillon.audit.list(query)) {
            found.push(entry);
            if (found.length >= limit) break;
          }
          return found;
        });
        createOutput(options).rows(entries, columns, "There are no entries.");
      },
    );
}

function toCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,6}$/.test(text) && count >= 1) return count;
  throw new InvalidArgumentError("A whole number from 1 is expected.");
}
