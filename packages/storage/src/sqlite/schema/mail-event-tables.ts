/** What is reported of mails, and who gets none, as they stand in their tables. */

import type { DeliveryId, ProjectId } from "@carillon/core";
import {
  code,
  epochMs,
  integer,
  optional,
  text,
  textOf,
  truth,
} from "./codec.ts";
import { mailEventCodes, suppressionReasonCodes } from "./codes.ts";
import { defineTable } from "./table.ts";

const report = {
  event: code(mailEventCodes),
  hard: optional(truth),
  at: epochMs,
  receivedAt: epochMs,
  recipient: optional(text),
  code: optional(text),
  diagnostic: optional(text),
  raw: optional(text),
};

/** Without the delivery that they are of. */
export const mailEvents = defineTable("mail_events", report);

/** As they are written. */
export const newMailEvents = defineTable("mail_events", {
  ...report,
  messageSeq: integer,
  target: integer,
  projectId: textOf<ProjectId>(),
  suppressionKey: text,
  fingerprint: text,
});

export const emailSuppressions = defineTable("email_suppressions", {
  projectId: textOf<ProjectId>(),
  key: text,
  address: text,
  reason: code(suppressionReasonCodes),
  detail: optional(text),
  at: epochMs,
  deliveryId: optional(textOf<DeliveryId>()),
  count: integer,
});
