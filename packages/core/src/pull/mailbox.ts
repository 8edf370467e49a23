/**
 * A mailbox: what waits for one pull endpoint of a project, and whose it is. All
 * pull subscriptions of a project with the same endpoint fill the same mailbox,
 * whatever topics they are to, so that a subscriber fetches from one place.
 *
 * A mailbox is made by the first subscription to it, or beforehand, with
 * credentials of its own: a subscriber account.
 */

import { CarillonError } from "../errors.ts";
import type { MailboxId, ProjectId } from "../ids.ts";
import type { EpochMs } from "../time.ts";

/**
 * How a GET of the Notipy protocol is read, which polls and confirms by the same
 * request: `on`: as the rule of `legacy-receive.ts` says, whatever else is known;
 * `off`: always as a poll; `auto`: by the rule if the client is Python's and the
 * subscriber has never confirmed by id.
 */
export const legacyConfirmModes = ["auto", "on", "off"] as const;

/** One of {@link legacyConfirmModes}. */
export type LegacyConfirm = (typeof legacyConfirmModes)[number];

/** What its owner sets of a mailbox. */
export interface MailboxSettings {
  /**
   * How many messages it may hold that are not confirmed, fetched or not. What
   * comes beyond fails.
   */
  readonly quota: number;
  readonly legacyConfirm: LegacyConfirm;
  /** Nothing is put into it, and its own credentials fetch nothing. */
  readonly disabled?: true;
}

/** A mailbox, and whose it is; messages that come and go change nothing of it. */
export interface MailboxAccount extends MailboxSettings {
  readonly seq: number;
  /** The user name of its credentials; unique in the store. */
  readonly id: MailboxId;
  readonly projectId: ProjectId;
  /** The endpoint of its subscriptions; unique in the project. */
  readonly name: string;
  /** Of the secret of its credentials; absent: it has none. */
  readonly secretHash?: string;
  readonly createdAt: EpochMs;
}

/** A mailbox as it is kept. */
export interface Mailbox extends MailboxAccount {
  /** Its subscriber has confirmed by id: a GET is a poll, but if that is `on`. */
  readonly confirmsById?: true;
  /** Messages that wait in it or are leased. */
  readonly depth: number;
}

/** What decides whether a mailbox takes a message. */
export type MailboxRoom = Pick<Mailbox, "quota" | "depth" | "disabled">;

/** A mailbox before the store gave it a number. */
export interface NewMailbox
  extends Pick<
      Mailbox,
      "id" | "projectId" | "name" | "secretHash" | "createdAt"
    >,
    MailboxSettings {}

/** What is changed of a mailbox; the rest stays. */
export interface MailboxChange {
  readonly secretHash?: string;
  readonly quota?: number;
  readonly legacyConfirm?: LegacyConfirm;
  readonly disabled?: boolean;
}

/** How many messages of a mailbox are in which state. */
export interface MailboxCounts {
  /** To be fetched, now or later. */
  readonly waiting: number;
  readonly leased: number;
  /** On the dead-letter list. */
  readonly dead: number;
}

/** Longest name, in characters. */
export const maxMailboxNameLength = 128;

/** Bounds of a mailbox's quota. */
export const maxMailboxQuota = 10_000_000;

/** What a name is, as the end of "… is expected". */
export const mailboxNameForm = `1 to ${maxMailboxNameLength} letters, digits or any of . _ @ -, of which the first is a letter or digit`;

/** Whether a text can be the name of a mailbox; see {@link mailboxNameForm}. */
export function isMailboxName(text: string): boolean {
  return (
    text.length <= maxMailboxNameLength &&
    /^[A-Za-z0-9][A-Za-z0-9._@-]*$/.test(text)
  );
}

/**
 * Answers the name if it is one.
 *
 * @throws CarillonError SUBSCRIBER_INVALID
 */
export function checkMailboxName(name: unknown): string {
  if (typeof name === "string" && isMailboxName(name)) return name;
  throw new CarillonError(
    "SUBSCRIBER_INVALID",
    `Invalid name: ${mailboxNameForm} are expected.`,
  );
}
