/** Rows of pymess's messages as records of an import. */

import { basename } from "node:path";
import type { ImportRecord } from "@carillon/client";
import { maxChildren } from "./child-rows.ts";
import type { MediaFolder } from "./media-folder.ts";
import type { MessageKind } from "./message-kinds.ts";
import {
  type PendingChoice,
  type pymessStates,
  toImportedState,
} from "./pymess-states.ts";
import type { SourceRow } from "./source-database.ts";
import { RowProblem, RowValues } from "./source-values.ts";

/** What records are made with. */
export interface RecordTerms {
  readonly kind: MessageKind;
  readonly states: keyof typeof pymessStates;
  readonly pending: PendingChoice;
  /** By id: `app_label.model`. */
  readonly contentTypes: ReadonlyMap<number, string>;
  readonly media: MediaFolder | undefined;
}

/** Rows that belong to a message. */
export interface Children {
  readonly relations: readonly SourceRow[];
  readonly attachments: readonly SourceRow[];
}

/** Bytes of the longest HTML that is taken. */
const maxHtmlBytes = 1024 * 1024;

/** Bytes of all files of a mail: what a request can hold in base64. */
const maxAttachmentBytes = 10 * 1024 * 1024;

/** @throws RowProblem */
export function toRecord(
  id: number,
  row: SourceRow,
  children: Children,
  terms: RecordTerms,
): ImportRecord {
  const { kind, pending, states } = terms;
  const values = new RowValues(row);
  const number = values.integer("state") ?? 0;
  const state = toImportedState(states, number, pending);
  if (!state) throw new RowProblem(`state: pymess has no ${number}.`);
  const sentAt = values.instant("sent_at");
  const changedAt = values.instant("changed_at");
  const error = values.text("error");
  const externalId = values.text("external_id");
  const isMail = kind.channel === "email";
  return {
    id: String(id),
    createdAt: values.neededInstant("created_at"),
    to: values.neededText("recipient"),
    text: isMail ? "" : (values.text("content") ?? ""),
    ...(isMail && {
      subject: values.text("subject"),
      html: htmlOf(values, terms.media),
      senderName: values.text("sender_name"),
      attachments: attachmentsOf(children.attachments, terms.media),
    }),
    sender: values.text("sender"),
    templateSlug: values.text("template_slug") ?? values.text("template_id"),
    tag: values.text("tag"),
    priority: priorityOf(values),
    extraData: {
      ...extraDataOf(values),
      pymess: { id, state: state.name, changedAt, externalId },
    },
    extraSenderData: values.object("extra_sender_data"),
    relatedObjects: objectsOf(children.relations, terms.contentTypes),
    state: state.state,
    reason: state.reason,
    attempts:
      values.integer("number_of_send_attempts") ??
      (state.name === "WAITING" ? 0 : 1),
    sentAt,
    changedAt,
    error,
    backend: values.text("backend"),
    externalId,
  };
}

/** @throws RowProblem when it has what the import adds */
function extraDataOf(values: RowValues): object {
  const data = values.object("extra_data") ?? {};
  if (!Object.hasOwn(data, "pymess")) return data;
  throw new RowProblem(
    "extra_data has a member pymess, where the import keeps what the message was there.",
  );
}

/** pymess takes any number; here 3 is the lowest. */
function priorityOf(values: RowValues): number | undefined {
  const priority = values.integer("priority");
  return priority === undefined
    ? undefined
    : Math.min(3, Math.max(1, priority));
}

/** From migration 0023 on it is in a file; before, and of what is older, a column. */
function htmlOf(
  values: RowValues,
  media: MediaFolder | undefined,
): string | undefined {
  const path = values.text("content_file");
  if (path === undefined) {
    return values.text("content") ?? values.text("old_content");
  }
  const bytes = mediaOf(media).read(path, "content_file", maxHtmlBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RowProblem("content_file is not in UTF-8.");
  }
}

function attachmentsOf(
  rows: readonly SourceRow[],
  media: MediaFolder | undefined,
): ImportRecord["attachments"] {
  if (rows.length === 0) return undefined;
  let room = maxAttachmentBytes;
  return rows.map((row) => {
    const values = new RowValues(row);
    const path = values.neededText("file");
    const content = mediaOf(media).read(path, "The attachment", room);
    room -= content.length;
    return {
      name: basename(values.text("filename") ?? path),
      contentType: contentTypeOf(values.text("content_type")),
      content: content.toString("base64"),
    };
  });
}

/** What is no media type, or has mails inside, is bytes. */
export function contentTypeOf(text = ""): string {
  const isPlain = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/.test(text);
  return isPlain && !/^(?:multipart|message)\//i.test(text)
    ? text
    : "application/octet-stream";
}

function objectsOf(
  rows: readonly SourceRow[],
  contentTypes: ReadonlyMap<number, string>,
): ImportRecord["relatedObjects"] {
  if (rows.length > maxChildren) {
    throw new RowProblem(
      `it is about more than ${maxChildren} objects, which is the most.`,
    );
  }
  return rows.map((row) => {
    const values = new RowValues(row);
    const type = values.integer("content_type_id");
    if (type === undefined) {
      throw new RowProblem(
        "an object that it is about has no content_type_id.",
      );
    }
    const createdAt = values.neededInstant("created_at");
    return {
      // A model that was removed has no name any more.
      type: contentTypes.get(type) ?? `contenttype.${type}`,
      id: values.neededText("object_id"),
      createdAt,
      changedAt: values.instant("changed_at") ?? createdAt,
    };
  });
}

/** Looked at before the walk: whoever has such rows has given it. */
function mediaOf(media: MediaFolder | undefined): MediaFolder {
  if (media) return media;
  throw new RowProblem("its content is in a file, and --media is not given.");
}
