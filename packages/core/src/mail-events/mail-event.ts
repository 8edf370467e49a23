/**
 * What mail servers and their services report of a mail that was handed over:
 * one vocabulary for all of them, and what each word means for the delivery and
 * for the address.
 */

import type { ProjectId } from "../ids.ts";
import type { ReceiptEvent } from "../messages/delivery.ts";
import type { EpochMs } from "../time.ts";

/** All words, as they are kept. */
export const mailEventKinds = [
  "delivered",
  "deferred",
  "bounced",
  "rejected",
  "complained",
] as const;

/**
 * - `delivered`: it is in the mailbox, as far as the last server can say.
 * - `deferred`: a server tries again.
 * - `bounced`: it came back. Hard: the address takes no mail, and never will;
 *   soft: it may take the next one.
 * - `rejected`: the mail was refused for what it is, not for its address.
 * - `complained`: its recipient called it spam.
 */
export type MailEventKind = (typeof mailEventKinds)[number];

/** What a reporter says of a mail; its texts are plain and bounded. */
export interface MailEventReport {
  readonly event: MailEventKind;
  /** Of what bounced; absent: not known, which counts as soft. */
  readonly hard?: boolean;
  /** When it happened, as far as the reporter says; else when it came. */
  readonly at: EpochMs;
  /** The address that the report names, which may be another than ours. */
  readonly recipient?: string;
  /** Enhanced status (RFC 3463) such as `5.1.1`, or the reporter's own code. */
  readonly code?: string;
  /** The words of the server that refused it. */
  readonly diagnostic?: string;
  /** The report as it came, cut at {@link maxRawCharacters}. */
  readonly raw?: string;
}

/** An event of a delivery, as it is read back: oldest first. */
export interface MailEvent extends MailEventReport {
  /** When it came to us. */
  readonly receivedAt: EpochMs;
}

/** An event on its way into the store. */
export interface NewMailEvent extends MailEvent {
  readonly messageSeq: number;
  readonly target: number;
  readonly projectId: ProjectId;
  /** The provider that took it: {@link mailEntry}, or a backend's name. */
  readonly entry: string;
  /** The part's id there; of {@link mailEntry} see {@link mailPartId}. */
  readonly externalId: string;
  /** Of the address that the mail was sent to. */
  readonly suppressionKey: string;
  /** The same for reports that say the same: the second one is left out. */
  readonly fingerprint: string;
}

/** Of `raw`. */
export const maxRawCharacters = 64 * 1024;
/** Of `recipient`, `code` and `diagnostic`. */
export const maxReportTextCharacters = 1000;

/**
 * Events of a delivery from which on those are left out whose kind is kept
 * already: a server may report without end.
 */
export const enoughMailEvents = 20;

/** The provider that parts and receipts of mails name, unless it is a backend. */
export const mailEntry = "email";

/** The id of a mail: what stands before the `@` of its Message-ID. */
export function mailPartId(messageId: string, target: number): string {
  return `${messageId}.${target}`;
}

/** What the event says of the delivery; `accept` changes nothing. */
export function receiptEventOf({
  event,
  hard,
}: Pick<MailEventReport, "event" | "hard">): ReceiptEvent {
  switch (event) {
    case "delivered":
      return "deliver";
    case "bounced":
      return hard ? "reject" : "accept";
    case "rejected":
      return "reject";
    case "deferred":
    case "complained":
      return "accept";
    default:
      return event satisfies never;
  }
}

/** The event in the words of a receipt. */
export function receiptTextOf({
  event,
  hard,
  diagnostic,
}: Pick<MailEventReport, "event" | "hard" | "diagnostic">): string {
  const word =
    event === "bounced" ? `bounced (${hard ? "hard" : "soft"})` : event;
  return diagnostic === undefined ? word : `${word}: ${diagnostic}`;
}
