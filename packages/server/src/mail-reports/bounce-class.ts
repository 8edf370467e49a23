/**
 * What a failure means, by its enhanced status code (RFC 3463, and the registry
 * of RFC 5248): whether the address is at fault, the mail, or only the moment.
 */

import type { MailEventReport } from "@carillon/core";

export type BounceClass = Pick<MailEventReport, "event" | "hard">;

const hard: BounceClass = { event: "bounced", hard: true };
const soft: BounceClass = { event: "bounced", hard: false };
const rejected: BounceClass = { event: "rejected" };

/** By subject and detail of a permanent failure; else by its subject. */
const permanent: Readonly<Record<string, BounceClass>> = {
  // The sender's address, which is ours.
  "1.7": rejected,
  "1.8": rejected,
  // Mailbox full; the lists of 2.4 are somebody else's trouble.
  "2.2": soft,
  "2.3": rejected,
  "2.4": soft,
  // No room, or not now.
  "3.1": soft,
  "3.2": soft,
  "3": rejected,
  // Exchange says so of addresses that it does not know.
  "4.1": hard,
  // The domain has no mail server.
  "4.4": hard,
  "4.310": hard,
  // Routing, congestion, loops, and what was tried for too long.
  "4": soft,
  "5": rejected,
  "6": rejected,
  // No such recipient, as some servers put it, is 1.x; this is policy.
  "7": rejected,
  // The address is no longer in use (RFC 7505: its domain takes no mail).
  "1": hard,
  "2": hard,
  "0": hard,
};

/**
 * The class of a mail that came back.
 *
 * @param status such as `5.1.1`; absent: the report gives none
 */
export function classifyBounce(status: string | undefined): BounceClass {
  const [, kind, subject = "", detail = ""] =
    /^([245])\.(\d{1,3})\.(\d{1,3})$/.exec(status ?? "") ?? [];
  if (kind !== "5") return soft;
  return (
    permanent[`${Number(subject)}.${Number(detail)}`] ??
    permanent[`${Number(subject)}`] ??
    hard
  );
}

/**
 * The first enhanced status of a text, of a failure; addresses of machines and
 * version numbers are none.
 */
export function findStatus(text: string): string | undefined {
  const [status] =
    /(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?!\d|\.\d)/.exec(text) ?? [];
  return status;
}
