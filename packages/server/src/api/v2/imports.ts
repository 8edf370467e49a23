/** Imports: messages that another program sent, with all that became of them. */

import {
  CarillonError,
  type ImportProgress,
  type ImportRecord,
  importLimits,
  importStates,
  type MessageImports,
  storedChannels,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { principalOf, projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import { instant, parseInstant } from "./schema-parts.ts";

export interface ImportPorts {
  readonly imports: MessageImports;
}

/** In bytes: a mail with as many files as it may have, in base64, fits. */
const importBodyBytes = 16 * 1024 * 1024;

/** Members of the objects of a batch: each message has some twenty. */
const importJsonMembers = 20_000;

/** Bounded by what is kept: too long ones are left out, with the reason. */
function anyText(description: string) {
  return Type.String({ maxLength: importBodyBytes, description });
}

/** The same: in bytes, when it is kept. */
function anyObject(description: string) {
  const largest = {
    maxLength: importBodyBytes,
    maxItems: importJsonMembers,
    maxProperties: importJsonMembers,
  };
  return Type.Record(Type.String(), Type.Unknown(largest), {
    maxProperties: importJsonMembers,
    description,
  });
}

const ImportAttachment = Type.Object({
  name: anyText("File name"),
  contentType: anyText("Media type such as application/pdf"),
  content: Type.String({
    maxLength: importBodyBytes,
    pattern: "^[A-Za-z0-9+/]*={0,2}$",
    description: "The file, in base64",
  }),
});

const RelatedObject = Type.Object({
  type: anyText("Such as shop.order"),
  id: anyText("Its id, as a text"),
  createdAt: instant("Since when the message is about it"),
  changedAt: instant("When that was changed last"),
});

const ImportedRecord = Type.Object({
  id: anyText("Its id in the other program, for what is said of it"),
  createdAt: instant("When it was made"),
  to: anyText("Phone number or mail address"),
  text: anyText("The text; of a mail its plain-text part"),
  subject: Type.Optional(anyText("Of a mail")),
  html: Type.Optional(anyText("Of a mail")),
  sender: Type.Optional(
    anyText("Sender ID, or the mail address of the sender"),
  ),
  senderName: Type.Optional(anyText("Of a mail: shown beside the address")),
  attachments: Type.Optional(
    Type.Array(ImportAttachment, {
      maxItems: 10_000,
      description: "Files of a mail",
    }),
  ),
  templateSlug: Type.Optional(anyText("Of the template it was made from")),
  tag: Type.Optional(anyText("A label to find it by")),
  priority: Type.Optional(Type.Integer({ description: "1 is the highest, 3" })),
  extraData: Type.Optional(anyObject("Data of the publisher's")),
  extraSenderData: Type.Optional(anyObject("What the backend told of it")),
  relatedObjects: Type.Optional(
    Type.Array(RelatedObject, {
      maxItems: 10_000,
      description: "What it is about",
    }),
  ),
  state: Type.Union(
    importStates.map((state) => Type.Literal(state)),
    {
      description:
        "Where it stands. What is waiting or retrying is checked as a send is, and sent at once; nothing else is.",
    },
  ),
  reason: Type.Optional(anyText("Of a cancelled one: why it was not sent")),
  attempts: Type.Integer({ description: "How many attempts were made" }),
  sentAt: Type.Optional(instant("When it was handed over last")),
  changedAt: Type.Optional(instant("When it was changed last")),
  error: Type.Optional(
    anyText(
      `Why the last attempt failed; beyond ${importLimits.errorLength} characters it is cut`,
    ),
  ),
  backend: Type.Optional(anyText("What it was sent through")),
  externalId: Type.Optional(anyText("The backend's id of it")),
});

const position = Type.String({
  maxLength: importLimits.nameLength,
  description: "Where the import stands behind it; the source's own",
  ...failsWith("IMPORT_INVALID"),
});

const ImportBatch = Type.Object(
  {
    channel: Type.Union(
      storedChannels.map((channel) => Type.Literal(channel)),
      { description: "What the messages are" },
    ),
    after: Type.Optional(
      Type.String({
        maxLength: importLimits.nameLength,
        description: "The position that it follows; absent for the first one",
      }),
    ),
    position,
    records: Type.Array(ImportedRecord, {
      maxItems: importLimits.messages,
      description: "In the order in which they were made",
    }),
    skipped: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        description: "How many more were left out already",
      }),
    ),
    dryRun: Type.Optional(
      Type.Boolean({ description: "Check all, and keep nothing" }),
    ),
  },
  { title: "ImportBatch" },
);

const Progress = Type.Object(
  {
    name: Type.String({ description: "Of the import" }),
    position: Type.String({ description: "Where it stands" }),
    imported: Type.Integer({ description: "Messages it has kept" }),
    skipped: Type.Integer({ description: "Messages it has left out" }),
    startedAt: instant("When its first batch came"),
    changedAt: instant("When its last batch came"),
  },
  { title: "Import", description: "How far the import has got" },
);

const BatchResult = Type.Object(
  {
    imported: Type.Integer({ description: "Messages of the batch kept" }),
    skipped: Type.Array(
      Type.Object({
        id: Type.String({ description: "As it was given" }),
        reason: Type.String({ description: "Why it was left out" }),
      }),
      { description: "Messages of the batch that were left out" },
    ),
    progress: Type.Optional(Progress),
  },
  { title: "ImportBatchResult" },
);

const params = Type.Object({
  name: Type.String({
    maxLength: importLimits.nameLength,
    description: "Names the source, and what of it is imported",
    ...failsWith("IMPORT_INVALID"),
  }),
});

const tags = ["Imports"];

export function importRoutes(app: HttpApp, { imports }: ImportPorts): void {
  app.get(
    "/imports/:name",
    {
      config: { operation: "imports.write" },
      schema: {
        summary: "Shows how far an import has got",
        tags,
        params,
        response: { 200: Progress, ...refusals },
      },
    },
    async (request) => {
      const { name } = request.params;
      const progress = await imports.find(projectOf(request), name);
      if (progress) return toProgress(name, progress);
      throw new CarillonError(
        "IMPORT_NOT_FOUND",
        "Nothing was imported by this name yet.",
      );
    },
  );

  app.post(
    "/imports/:name/batches",
    {
      config: { operation: "imports.write", jsonMembers: importJsonMembers },
      bodyLimit: importBodyBytes,
      schema: {
        summary: "Imports messages of another program",
        description:
          "Keeps the messages and the import's position at once, if the import stands where the batch follows: a batch that is sent twice is refused the second time. A message that cannot be kept is left out, with the reason.",
        tags,
        params,
        body: ImportBatch,
        response: { 200: BatchResult, ...refusals },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { records, dryRun, ...batch } = request.body;
      const { userId, userName } = principalOf(request);
      const result = await imports.add(
        projectOf(request),
        name,
        {
          ...batch,
          records: records.map(toRecord),
          ...(dryRun !== undefined && { isDryRun: dryRun }),
        },
        { userId, userName },
      );
      const { imported, skipped, progress } = result;
      return {
        imported,
        skipped: [...skipped],
        ...(progress && { progress: toProgress(name, progress) }),
      };
    },
  );
}

function toRecord(body: Static<typeof ImportedRecord>): ImportRecord {
  const { attachments, relatedObjects, ...record } = body;
  const { createdAt, sentAt, changedAt } = body;
  return {
    ...record,
    createdAt: parseInstant(createdAt, "createdAt"),
    sentAt: sentAt === undefined ? undefined : parseInstant(sentAt, "sentAt"),
    changedAt:
      changedAt === undefined
        ? undefined
        : parseInstant(changedAt, "changedAt"),
    attachments: attachments?.map(({ content, ...file }) => ({
      ...file,
      content: Buffer.from(content, "base64"),
    })),
    relatedObjects: relatedObjects?.map((object) => ({
      ...object,
      createdAt: parseInstant(object.createdAt, "createdAt"),
      changedAt: parseInstant(object.changedAt, "changedAt"),
    })),
  };
}

function toProgress(
  name: string,
  { startedAt, changedAt, ...progress }: ImportProgress,
): Static<typeof Progress> {
  return {
    name,
    ...progress,
    startedAt: toMillisecondsText(startedAt),
    changedAt: toMillisecondsText(changedAt),
  };
}
