/** Mailboxes as they stand in their table. */

import type {
  Mailbox,
  MailboxAccount,
  MailboxId,
  ProjectId,
} from "@carillon/core";
import {
  code,
  epochMs,
  flag,
  integer,
  optional,
  text,
  textOf,
} from "./codec.ts";
import { legacyConfirmCodes } from "./codes.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

const shape = {
  seq: integer,
  id: textOf<MailboxId>(),
  projectId: textOf<ProjectId>(),
  name: text,
  secretHash: optional(text),
  quota: integer,
  legacyConfirm: code(legacyConfirmCodes),
  disabled: flag,
  confirmsById: flag,
  depth: integer,
  createdAt: epochMs,
};

export type MailboxRow = RowOf<Mailbox>;

export type MailboxAccountRow = RowOf<MailboxAccount>;

export const mailboxes = defineTable("mailboxes", shape);

/** Without what messages that come and go change. */
export const mailboxAccounts = defineTable(
  "mailboxes",
  omit(shape, "confirmsById", "depth"),
);

/** Without what the store gives it. */
export const newMailboxes = defineTable(
  "mailboxes",
  omit(shape, "seq", "confirmsById", "depth"),
);
