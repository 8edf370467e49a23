/** What the commands of texts and those of mails do not have in common. */

import type { Connection, StoredMessageSummary } from "@carillon/client";

type Carillon = Connection["carillon"];

/** Stored messages of one channel. */
export interface StoredKind {
  /** As in `carillon sms`. */
  readonly noun: "sms" | "emails";
  /** What one is called. */
  readonly word: string;
  /** Whom an example goes to. */
  readonly example: string;
  readonly of: (carillon: Carillon) => Carillon["sms"] | Carillon["emails"];
  /** What a list shows of it. */
  readonly title: (one: StoredMessageSummary) => string;
}

export const smsKind: StoredKind = {
  noun: "sms",
  word: "text",
  example: "+4915112345678",
  of: ({ sms }) => sms,
  title: ({ excerpt = "" }) => excerpt,
};

export const emailKind: StoredKind = {
  noun: "emails",
  word: "mail",
  example: "ada@example.org",
  of: ({ emails }) => emails,
  title: ({ subject, excerpt = "" }) => subject || excerpt,
};
