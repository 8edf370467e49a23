/** `carillon templates sync` and `dump` */

import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { dumpTemplates } from "../template-dump.ts";
import { readTemplateFiles } from "../template-files.ts";
import { type SyncedTemplate, syncTemplates } from "../template-sync.ts";

const syncColumns: readonly Column<SyncedTemplate>[] = [
  { head: "template", cell: (one) => `${one.channel}/${one.slug}` },
  { head: "action", cell: (one) => one.action },
];

interface SyncOptions extends ClientOptions {
  readonly delete?: boolean;
  readonly dryRun?: boolean;
}

export function syncTemplatesCommand(): Command {
  return clientCommand(
    "sync <folder>",
    "Bring templates to what a folder has: <channel>/<slug>.html or .txt, with the other members in a .json beside it; or <slug>.html of mails. A mistake in one file changes nothing.",
    [
      "carillon templates sync templates --dry-run",
      "carillon templates sync templates --delete",
    ],
  )
    .option("--delete", "delete what the folder does not have")
    .option("--dry-run", "say what would be done")
    .action(async (folder: string, options: SyncOptions) => {
      const files = await readTemplateFiles(folder);
      const done = await withServer(options, ({ carillon }) =>
        syncTemplates(carillon.templates, files, {
          delete: options.delete ?? false,
          dryRun: options.dryRun ?? false,
        }),
      );
      createOutput(options).rows(
        done,
        syncColumns,
        `There are no templates in ${folder}.`,
      );
    });
}

interface DumpOptions extends ClientOptions {
  readonly delete?: boolean;
}

export function dumpTemplatesCommand(): Command {
  return clientCommand(
    "dump <folder>",
    "Write all templates into a folder, as carillon templates sync reads them, in place of the files that it has of them.",
    [
      "carillon templates dump templates",
      "carillon templates dump templates --delete",
    ],
  )
    .option(
      "--delete",
      "delete files of templates that the server does not have",
    )
    .action(async (folder: string, options: DumpOptions) => {
      const dumped = await withServer(options, ({ carillon }) =>
        dumpTemplates(carillon.templates, folder, {
          delete: options.delete ?? false,
        }),
      );
      const { templates, surplus } = dumped;
      const rest =
        surplus > 0
          ? ` It has ${surplus} that the server does not have: --delete deletes them.`
          : "";
      createOutput(options).result(
        `${templates} templates are in ${folder}.${rest}`,
        { folder, ...dumped },
      );
    });
}
