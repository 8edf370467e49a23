/** Texts from phones, and who wants none, as they stand in their tables. */

import type {
  InboundMessage,
  MessageId,
  OptOutRecord,
  ProjectId,
} from "@carillon/core";
import {
  epochMs,
  integer,
  named,
  type OptionalCodec,
  optional,
  text,
  textOf,
} from "./codec.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

const shape = {
  seq: integer,
  id: text,
  projectId: textOf<ProjectId>(),
  provider: text,
  externalId: optional(text),
  from: named("sender", text),
  to: named("receiver", optional(text)),
  keyword: optional(text),
  receivedAt: epochMs,
  messageId: optional(textOf<MessageId>()),
  text,
};

export type InboundRow = RowOf<InboundMessage>;

export const inbound = defineTable("inbound", shape);
export const newInbound = defineTable("inbound", omit(shape, "seq"));

/** Empty for all senders: a primary key has no NULLs. */
export const sender: OptionalCodec<string> = {
  isOptional: true,
  encode: (value) => value ?? "",
  decode: (value) => (value === "" ? undefined : (value as string)),
};

export type OptOutRow = RowOf<OptOutRecord>;

export const optOuts = defineTable("opt_outs", {
  recipient: text,
  sender,
  keyword: text,
  at: epochMs,
});
