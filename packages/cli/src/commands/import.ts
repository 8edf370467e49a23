/** `carillon import …` */

import { Command, InvalidArgumentError, Option } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { type Column, createOutput } from "../output.ts";
import type { ImportSummary, SkippedRow } from "../pymess/import-messages.ts";
import type { PendingChoice } from "../pymess/pymess-states.ts";

export function importCommand(): Command {
  return new Command("import")
    .description(
      "Import what other programs kept: messages with all that became of them.",
    )
    .addCommand(importPymess());
}

/** What can be imported. */
const kinds = ["sms", "emails", "templates"] as const;

type Kind = (typeof kinds)[number];

interface ImportOptions extends ClientOptions {
  readonly dsn: string;
  readonly media?: string;
  readonly only: readonly Kind[];
  readonly pending: PendingChoice;
  readonly dryRun?: true;
  readonly source?: string;
  readonly smsTemplateTable: string;
  readonly emailTemplateTable: string;
}

/** Rows that were left out and are shown. */
const maxShown = 20;

const summaryColumns: readonly Column<ImportSummary>[] = [
  { head: "kind", cell: (one) => one.kind },
  { head: "read", cell: (one) => String(one.read), align: "right" },
  { head: "imported", cell: (one) => String(one.imported), align: "right" },
  { head: "skipped", cell: (one) => String(one.skipped), align: "right" },
  { head: "before", cell: (one) => String(one.before), align: "right" },
];

const skippedColumns: readonly Column<SkippedRow>[] = [
  { head: "table", cell: (one) => one.table, max: 40 },
  { head: "id", cell: (one) => one.id, max: 20 },
  { head: "reason", cell: (one) => one.reason, wraps: true },
];

function importPymess(): Command {
  return clientCommand(
    "pymess",
    "Import the messages and templates of a Django project that uses pymess, from its SQLite or PostgreSQL database, which is only read. Nothing imported is sent. Run again, it goes on where it stopped. For administrators of the project that the keys are for.",
    [
      "carillon import pymess --dsn db.sqlite3 --media media --dry-run",
      "carillon import pymess --dsn postgres://django@db.example/shop --media media",
    ],
  )
    .addOption(
      new Option(
        "--dsn <dsn>",
        "the path of a SQLite file, sqlite:///path, or postgres://… (PYMESS_DSN)",
      )
        .env("PYMESS_DSN")
        .makeOptionMandatory(),
    )
    .option("--media <folder>", "Django's MEDIA_ROOT, with the files of mails")
    .addOption(
      new Option("--only <kinds>", "some of sms,emails,templates")
        .argParser(parseKinds)
        .default(kinds, "all"),
    )
    .addOption(
      new Option(
        "--pending <choice>",
        "what waits to be sent there: cancel keeps it from being sent, send sends it now",
      )
        .choices(["cancel", "send"])
        .default("cancel"),
    )
    .option("--dry-run", "check everything, and keep nothing")
    .option(
      "--source <name>",
      "what the source is called; by default its database's name and age",
    )
    .option(
      "--sms-template-table <table>",
      "where SMS_TEMPLATE_MODEL is kept",
      "pymess_smstemplate",
    )
    .option(
      "--email-template-table <table>",
      "where EMAIL_TEMPLATE_MODEL is kept",
      "pymess_emailtemplate",
    )
    .action(run);
}

async function run(options: ImportOptions): Promise<void> {
  const { runImport } = await import("../pymess/run-import.ts");
  const output = createOutput(options);
  const shown: SkippedRow[] = [];
  const inactive: SkippedRow[] = [];
  const { summaries, foreign } = await runImport(options, {
    onSkipped(row) {
      if (output.json) output.rows([{ skipped: row }], [], "");
      else if (shown.length < maxShown) shown.push(row);
    },
    onInactive(row) {
      if (output.json) output.rows([{ inactive: row }], [], "");
      else inactive.push(row);
    },
  });
  if (inactive.length > 0) {
    output.rows(inactive, skippedColumns, "");
    output.result(
      "These templates are imported but not active: what has no counterpart in Liquid is left out.",
      undefined,
    );
  }
  if (!output.json && shown.length > 0) {
    output.rows(shown, skippedColumns, "");
    const all = summaries.reduce((sum, { skipped }) => sum + skipped, 0);
    const rest = all - shown.length;
    const more = rest > 0 ? `And ${rest} more; -o json lists all. ` : "";
    output.result(`${more}These rows are not imported.`, undefined);
  }
  for (const { table, count } of foreign) {
    if (output.json) output.rows([{ notImported: { table, count } }], [], "");
    else output.result(`${table}: its ${count} rows are not imported.`, table);
  }
  output.rows(summaries, summaryColumns, "There is nothing to import.");
}

function parseKinds(text: string): readonly Kind[] {
  return text.split(",").map((word) => {
    const found = kinds.find((kind) => kind === word.trim());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(
      `Some of ${kinds.join(", ")} are expected, with commas between.`,
    );
  });
}

/** @throws CommandFailure */
export function checkSourceName(name: string): string {
  if (/^[\w.:-]{1,100}$/.test(name)) return name;
  throw new CommandFailure(
    "--source: 1 to 100 letters, digits, or any of _ . : - are expected.",
    2,
  );
}
