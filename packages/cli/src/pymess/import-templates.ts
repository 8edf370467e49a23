/**
 * Imports the templates of one kind: each translated to Liquid, and made once. What
 * cannot be translated wholly is made inactive, so that nobody gets half a text.
 */

import { basename } from "node:path";
import {
  type NewStoredTemplate,
  ResourceNotFoundError,
  ResponseError,
  type StoredTemplates,
} from "@carillon/client";
import type {
  ImportSummary,
  ImportTerms,
  SkippedRow,
} from "./import-messages.ts";
import { contentTypeOf } from "./message-records.ts";
import {
  findTable,
  quoteName,
  type SourceDatabase,
  type SourceTable,
} from "./source-database.ts";
import { RowProblem, RowValues, toInteger } from "./source-values.ts";
import { walkRows } from "./table-pages.ts";

/** A kind of templates. */
export interface TemplateKind {
  readonly channel: "sms" | "email";
  /** By default pymess's own; projects have models of their own. */
  readonly table: string;
  readonly disallowed: string;
  /** Files that each mail of a template carries. */
  readonly attachments?: string;
}

/** What Django's language is in Liquid, and what it cannot be. */
export type Translate = (django: string) => {
  readonly source: string;
  readonly problems: readonly {
    readonly line: number;
    readonly what: string;
  }[];
};

export interface TemplateTerms
  extends Pick<
    ImportTerms,
    "db" | "media" | "isDryRun" | "signal" | "onSkipped" | "onProgress"
  > {
  readonly templates: StoredTemplates;
  readonly translate: Translate;
  readonly contentTypes: ReadonlyMap<number, string>;
  /** Told of each problem of a template that is made inactive. */
  readonly onInactive: (row: SkippedRow) => void;
}

const columns = [
  "body",
  "subject",
  "sender",
  "sender_name",
  "is_active",
  "is_locked",
  "is_allowed_duplicate_messages",
];

/** Bytes of a row that is looked at. */
const maxTemplateBytes = 1024 * 1024;

/** Bytes of all files of a template. */
const maxAttachmentBytes = 10 * 1024 * 1024;

/** Objects that are sent at once. */
const objectsPerRequest = 100;

/** @throws CommandFailure, those of the client */
export async function importTemplates(
  kind: TemplateKind,
  terms: TemplateTerms,
): Promise<ImportSummary | undefined> {
  const { db, signal } = terms;
  const table = await findTable(db, kind.table, ["slug", "body"]);
  if (!table) return undefined;
  const attachments =
    kind.attachments === undefined
      ? undefined
      : await findTable(db, kind.attachments, ["file", "template_id"]);
  const rows = await listKeys(db, table);
  let [read, imported, skipped, before] = [0, 0, 0, 0];
  const name = `${kind.channel} templates`;
  for (const { slug, bytes } of rows) {
    signal.throwIfAborted();
    terms.onProgress(name, read++, rows.length);
    try {
      if (bytes > maxTemplateBytes) {
        throw new RowProblem(
          `it has ${bytes} bytes, ${maxTemplateBytes} is the most.`,
        );
      }
      if (await isThere(terms.templates, kind.channel, slug)) before++;
      else {
        await importTemplate(kind, table, attachments, slug, terms);
        imported++;
      }
    } catch (error) {
      skipped++;
      terms.onSkipped({ table: table.name, id: slug, reason: reasonOf(error) });
    }
  }
  skipped += await importDisallowed(kind, terms);
  return { kind: name, table: table.name, read, imported, skipped, before };
}

/** @throws the error, where it is not about the row */
function reasonOf(error: unknown): string {
  if (error instanceof RowProblem) return error.message;
  if (error instanceof ResponseError && [400, 404].includes(error.status)) {
    return error.reason ?? error.message;
  }
  throw error;
}

async function listKeys(db: SourceDatabase, table: SourceTable) {
  const known = columns.filter((column) => table.columns.has(column));
  const size = known
    .map((column) => `coalesce(${db.sizeOf(column)}, 0)`)
    .join(" + ");
  // A project has some hundreds.
  const rows = await db.query(
    `SELECT slug, ${size} AS bytes FROM ${quoteName(table.name)}
     WHERE ${db.sizeOf("slug")} <= 400 ORDER BY slug LIMIT 10000`,
  );
  return rows.map(({ slug, bytes = null }) => ({
    slug: String(slug),
    bytes: toInteger(bytes) ?? 0,
  }));
}

async function isThere(
  templates: StoredTemplates,
  channel: TemplateKind["channel"],
  slug: string,
): Promise<boolean> {
  try {
    await templates.get(channel, slug);
    return true;
  } catch (error) {
    if (error instanceof ResourceNotFoundError) return false;
    throw error;
  }
}

async function importTemplate(
  { channel }: TemplateKind,
  table: SourceTable,
  attachments: SourceTable | undefined,
  slug: string,
  terms: TemplateTerms,
): Promise<void> {
  const { db, templates, isDryRun } = terms;
  const known = columns.filter((column) => table.columns.has(column));
  const [row] = await db.query(
    `SELECT ${known.map(quoteName).join(", ")} FROM ${quoteName(table.name)}
     WHERE slug = ? LIMIT 1`,
    [slug],
  );
  if (!row) throw new RowProblem("it was deleted meanwhile.");
  const values = new RowValues(row);
  const notes: string[] = [];
  const translate = (column: string, text: string): string => {
    const { source, problems } = terms.translate(text);
    for (const { line, what } of problems) {
      notes.push(`${column}, line ${line}: ${what}`);
    }
    return source;
  };
  const subject = values.text("subject");
  const template: NewStoredTemplate = {
    body: translate("body", values.neededText("body")),
    isLocked: values.boolean("is_locked") ?? false,
    allowsDuplicates: values.boolean("is_allowed_duplicate_messages") ?? true,
    ...(channel === "email" && {
      subject: subject && translate("subject", subject),
      sender: values.text("sender"),
      senderName: values.text("sender_name"),
      attachments:
        attachments && (await readAttachments(attachments, slug, terms)),
    }),
  };
  const isActive = (values.boolean("is_active") ?? true) && notes.length === 0;
  const made = { ...template, isActive };
  if (isDryRun) await templates.check(channel, slug, made);
  else await templates.put(channel, slug, made);
  for (const reason of notes) {
    terms.onInactive({ table: table.name, id: slug, reason });
  }
}

async function readAttachments(
  table: SourceTable,
  slug: string,
  { db, media }: TemplateTerms,
): Promise<NewStoredTemplate["attachments"]> {
  const name = table.columns.has("filename") ? ", filename" : "";
  const type = table.columns.has("content_type") ? ", content_type" : "";
  const rows = await db.query(
    `SELECT file${name}${type} FROM ${quoteName(table.name)}
     WHERE template_id = ? AND ${db.sizeOf("file")} <= 4096
     ORDER BY id LIMIT 100`,
    [slug],
  );
  let room = maxAttachmentBytes;
  return rows.map((row) => {
    const values = new RowValues(row);
    const path = values.neededText("file");
    if (!media) {
      throw new RowProblem("it has an attachment, and --media is not given.");
    }
    const content = media.read(path, "The attachment", room);
    room -= content.length;
    return {
      name: basename(values.text("filename") ?? path),
      contentType: contentTypeOf(values.text("content_type")),
      content,
    };
  });
}

/** What templates may not be sent about. Answers how many were left out. */
async function importDisallowed(
  { channel, disallowed }: TemplateKind,
  terms: TemplateTerms,
): Promise<number> {
  const { db, templates, contentTypes, isDryRun, signal } = terms;
  const table = await findTable(db, disallowed, [
    "id",
    "object_id",
    "content_type_id",
    "template_id",
  ]);
  if (!table) return 0;
  let skipped = 0;
  const wanted = ["object_id", "content_type_id", "template_id"];
  for await (const chunk of walkRows(db, table, wanted, undefined)) {
    signal.throwIfAborted();
    /** By slug; of all templates under the empty one. */
    const groups = new Map<string, { type: string; id: string }[]>();
    const skip = (id: string, error: unknown) => {
      skipped++;
      terms.onSkipped({ table: disallowed, id, reason: reasonOf(error) });
    };
    for (const { id, row, bytes } of chunk) {
      try {
        if (!row) throw new RowProblem(`it has ${bytes} bytes.`);
        const values = new RowValues(row);
        const type = values.integer("content_type_id") ?? 0;
        const slug = values.text("template_id") ?? "";
        const object = {
          type: contentTypes.get(type) ?? `contenttype.${type}`,
          id: values.neededText("object_id"),
        };
        groups.set(slug, [...(groups.get(slug) ?? []), object]);
      } catch (error) {
        skip(String(id), error);
      }
    }
    if (isDryRun) continue;
    for (const [slug, objects] of groups) {
      const scope = slug === "" ? { channel } : { channel, slug };
      for (let n = 0; n < objects.length; n += objectsPerRequest) {
        const some = objects.slice(n, n + objectsPerRequest);
        try {
          await templates.disallow(scope, some);
        } catch (error) {
          skip(slug, error);
        }
      }
    }
  }
  return skipped;
}
