/** `carillon import pymess`: opens both ends, and imports kind by kind. */

import { CommandFailure } from "../command-failure.ts";
import { checkSourceName } from "../commands/import.ts";
import type { ConnectionOptions } from "../connection.ts";
import { createProgressLine } from "../progress.ts";
import { withServer } from "../server.ts";
import { stopSignal } from "../stop-signal.ts";
import {
  type ImportSummary,
  type ImportTerms,
  importMessages,
  readContentTypes,
  type SkippedRow,
} from "./import-messages.ts";
import { importTemplates, type TemplateKind } from "./import-templates.ts";
import { openMediaFolder } from "./media-folder.ts";
import { foreignTables, messageKinds } from "./message-kinds.ts";
import { openSource } from "./open-source.ts";
import type { PendingChoice } from "./pymess-states.ts";
import type { SourceDatabase } from "./source-database.ts";
import { nameSource } from "./source-name.ts";
import { countRows } from "./table-pages.ts";

/** As the command line gives them. */
export interface RunOptions extends ConnectionOptions {
  readonly dsn: string;
  readonly media?: string;
  readonly only: readonly string[];
  readonly pending: PendingChoice;
  readonly dryRun?: true;
  readonly source?: string;
  readonly smsTemplateTable: string;
  readonly emailTemplateTable: string;
}

/** A table that Carillon has nothing for. */
export interface ForeignTable {
  readonly table: string;
  readonly count: number;
}

export interface ImportReport {
  /** Of the kinds that there are. */
  readonly summaries: readonly ImportSummary[];
  readonly foreign: readonly ForeignTable[];
}

/** Told of rows as they are met. */
export interface ImportListener {
  readonly onSkipped: (row: SkippedRow) => void;
  /** Of templates that were imported, and are not active. */
  readonly onInactive: (row: SkippedRow) => void;
}

/** @throws CommandFailure */
export async function runImport(
  options: RunOptions,
  { onSkipped, onInactive }: ImportListener,
): Promise<ImportReport> {
  const { source, media, dryRun } = options;
  if (source !== undefined) checkSourceName(source);
  const folder = media === undefined ? undefined : openMediaFolder(media);
  await using db = await openSource(options.dsn);
  const name = source === undefined ? await nameSource(db) : `pymess:${source}`;
  const signal = stopSignal();
  const line = createProgressLine();
  const startedAt = performance.now();
  const showProgress = (kind: string, done: number, total: number) => {
    const seconds = (performance.now() - startedAt) / 1000;
    const rate = seconds > 1 ? ` ${Math.round(done / seconds)}/s` : "";
    line.show(`${kind} ${done} of ${total}${rate}`, done, total);
  };
  return await withServer(options, async ({ carillon }) => {
    const terms: ImportTerms = {
      db,
      imports: carillon.imports,
      source: name,
      media: folder,
      pending: options.pending,
      isDryRun: dryRun === true,
      signal,
      onSkipped,
      onProgress: showProgress,
    };
    try {
      const summaries: ImportSummary[] = [];
      for (const kind of messageKinds) {
        if (!options.only.includes(kind.name)) continue;
        const summary = await importMessages(kind, terms);
        if (summary) summaries.push(summary);
      }
      if (options.only.includes("templates")) {
        const { djangoToLiquid } = await import(
          "@carillon/server/django-to-liquid"
        );
        const templateTerms = {
          ...terms,
          templates: carillon.templates,
          translate: djangoToLiquid,
          contentTypes: await readContentTypes(db),
          onInactive,
        };
        for (const kind of templateKindsOf(options)) {
          const summary = await importTemplates(kind, templateTerms);
          if (summary) summaries.push(summary);
        }
      }
      return { summaries, foreign: await countForeign(db) };
    } catch (error) {
      throw explainAbort(error, signal);
    } finally {
      line.clear();
    }
  });
}

function templateKindsOf(options: RunOptions): readonly TemplateKind[] {
  return [
    {
      channel: "sms",
      table: options.smsTemplateTable,
      disallowed: "pymess_smstemplatedisallowedobject",
    },
    {
      channel: "email",
      table: options.emailTemplateTable,
      disallowed: "pymess_emailtemplatedisallowedobject",
      attachments: "pymess_emailtemplateattachment",
    },
  ];
}

async function countForeign(db: SourceDatabase): Promise<ForeignTable[]> {
  const found: ForeignTable[] = [];
  for (const table of foreignTables) {
    if ((await db.kindOf(table)) !== "table") continue;
    const known = { name: table, columns: new Set<string>() };
    const count = await countRows(db, known, undefined);
    if (count > 0) found.push({ table, count });
  }
  return found;
}

function explainAbort(error: unknown, signal: AbortSignal): unknown {
  if (error !== signal.reason || !(error instanceof CommandFailure)) {
    return error;
  }
  return new CommandFailure(
    "Interrupted; what was imported stays. Run the command again to go on.",
    error.exitCode,
  );
}
