/** Keeps mailboxes, and whose they are; what is in them is `MessageQueueStore`'s. */

import type { MailboxId, ProjectId } from "../ids.ts";
import type {
  Mailbox,
  MailboxAccount,
  MailboxChange,
  MailboxCounts,
  NewMailbox,
} from "../pull/mailbox.ts";
import type { EpochMs } from "../time.ts";

/** Keeps mailboxes, and the accounts that fetch from them. */
export interface MailboxStore {
  /**
   * Adds a mailbox; `undefined`, and nothing changes, when the project has one of
   * that name.
   *
   * @throws CarillonError PROJECT_DELETED
   */
  addMailbox(mailbox: NewMailbox): Promise<Mailbox | undefined>;
  findMailbox(projectId: ProjectId, name: string): Promise<Mailbox | undefined>;
  /** Asked on every poll. */
  findMailboxAccount(
    projectId: ProjectId,
    name: string,
  ): Promise<MailboxAccount | undefined>;
  /** The same by its id, of whatever project: for credentials. */
  findMailboxById(id: MailboxId): Promise<MailboxAccount | undefined>;
  /** Oldest first, behind the number `after`. */
  listMailboxes(
    projectId: ProjectId,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly Mailbox[]>;
  countMailboxMessages(seq: number): Promise<MailboxCounts>;
  /** As it is then; `undefined`: there is none. */
  updateMailbox(
    projectId: ProjectId,
    name: string,
    change: MailboxChange,
  ): Promise<Mailbox | undefined>;
  /**
   * Removes a mailbox with its subscriptions: its name is free, nothing comes into
   * it, nobody fetches from it. What waits or is leased in it is cancelled by
   * `MessageQueueStore.cancelWithdrawn`, until which an ack of a lease still counts.
   * Its dead letters stay as they are in the ledger. False: there is none.
   */
  deleteMailbox(
    projectId: ProjectId,
    name: string,
    at: EpochMs,
  ): Promise<boolean>;
}
