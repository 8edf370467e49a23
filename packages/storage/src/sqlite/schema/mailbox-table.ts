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

/** Its columns are those of {@link withDepths}. */
export const mailboxes = defineTable("mailboxes", shape);

/** Each mailbox with how full it is, in place of the table. */
export const withDepths = (index = "") =>
  `(SELECT mailboxes.*, depth FROM mailboxes ${index}
    CROSS JOIN mailbox_depths ON mailbox = seq) AS mailboxes`;

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
