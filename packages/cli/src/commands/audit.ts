/** `carillon audit …` */

import type { AuditEntry } from "@carillon/client";
import { auditActionNames } from "@carillon/server/audit-actions";
import { Command, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { findUserId } from "../identity.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";
import { wholeNumber } from "../whole-number.ts";

/** About as many are kept. */
const maxEntries = 100_000;

const columns: readonly Column<AuditEntry>[] = [
  { head: "at", cell: (entry) => shortTime(entry.at) },
  { head: "user", cell: (entry) => entry.userName ?? "" },
  { head: "address", cell: (entry) => entry.address ?? "" },
  { head: "action", cell: (entry) => entry.action },
  { head: "count", cell: (entry) => String(entry.count), align: "right" },
  { head: "target", cell: (entry) => entry.target ?? "", max: 60 },
  {
    head: "details",
    cell: ({ details = {} }) =>
      Object.entries(details)
        .map(([name, value]) => `${name}: ${value}`)
        .join("; "),
    wraps: true,
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
    "carillon audit list --user ann",
  ])
    .option(
      "--limit <n>",
      `how many at most, 1 to ${maxEntries}`,
      wholeNumber(1, maxEntries),
      100,
    )
    .addOption(
      new Option("--action <action>", "only of this kind").choices(
        auditActionNames,
      ),
    )
    .option("--user <user>", "only of this user, a deleted one by its id")
    .action(
      async (
        options: ClientOptions & {
          readonly limit: number;
          readonly action?: string;
          readonly user?: string;
        },
      ) => {
        const entries = await withServer(options, async ({ carillon }) => {
          const { limit, action, user } = options;
          const userId =
            user === undefined ? undefined : await findUserId(carillon, user);
          const found: AuditEntry[] = [];
          for await (const entry of carillon.audit.list({
            action,
            userId,
          })) {
            found.push(entry);
            if (found.length >= limit) break;
          }
          return found;
        });
        createOutput(options).rows(entries, columns, "There are no entries.");
      },
    );
}
