/** Mailboxes in SQLite; what is in them is read by `queue-store.ts`. */

import {
  CarillonError,
  type MailboxAccount,
  type MailboxId,
  type MailboxStore,
  type StoreChange,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { stateCodes } from "../schema/codes.ts";
import {
  type MailboxAccountRow,
  type MailboxRow,
  mailboxAccounts,
  mailboxes,
  withDepths,
} from "../schema/mailbox-table.ts";
import { ReadCache } from "./read-cache.ts";

export function createMailboxStore({
  reader,
  writer,
}: Connections): MailboxStore {
  /** Parameters: project, name. Index: mailboxes_name. */
  const byName = reader.prepare<MailboxRow>(
    `SELECT ${mailboxes.columns()} FROM ${withDepths()}
     WHERE project_id = ? AND name = ?`,
  );
  /** Parameters: project, name. Index: mailboxes_name. */
  const accountByName = reader.prepare<MailboxAccountRow>(
    `SELECT ${mailboxAccounts.columns()} FROM mailboxes
     WHERE project_id = ? AND name = ?`,
  );
  /** Parameters: id. Index: mailboxes_id. */
  const accountById = reader.prepare<MailboxAccountRow>(
    `SELECT ${mailboxAccounts.columns()} FROM mailboxes WHERE id = ?`,
  );
  const staleBy = ({ kind }: StoreChange) =>
    kind === "mailbox" ? "all" : undefined;
  const options = { staleBy, maxEntries: 16_384 };
  const accountsByName = new ReadCache<string, MailboxAccount>(writer, options);
  const accountsById = new ReadCache<MailboxId, MailboxAccount>(
    writer,
    options,
  );
  /** Parameters: project, after, limit. Index: mailboxes_of_project. */
  const ofProject = reader.prepare<MailboxRow>(
    `SELECT ${mailboxes.columns()}
     FROM ${withDepths("INDEXED BY mailboxes_of_project")}
     WHERE project_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
  );
  /**
   * What waits is the rest of the depth, and costs no walk.
   * Parameters: mailbox. Indexes: the primary key, deliveries_queued.
   */
  const countsOf = reader.prepare<
    [depth: number | null, leased: number, dead: number]
  >(
    `SELECT (SELECT depth FROM mailbox_depths WHERE mailbox = ?1),
       (SELECT count(*) FROM deliveries INDEXED BY deliveries_queued
        WHERE mailbox = ?1 AND queue_state = 2
          AND state = ${stateCodes.sending}),
       (SELECT count(*) FROM deliveries INDEXED BY deliveries_queued
        WHERE mailbox = ?1 AND queue_state = 4)`,
  );

  return {
    async addMailbox(mailbox) {
      const row = await writer.run("addMailbox", mailbox);
      if (row === "PROJECT_DELETED") throw new CarillonError(row);
      return row && mailboxes.fromRow(row);
    },
    async findMailbox(projectId, name) {
      const row = byName.get(projectId, name);
      return row && mailboxes.fromRow(row);
    },
    async findMailboxAccount(projectId, name) {
      // No name of a mailbox has a slash.
      const key = `${projectId}/${name}`;
      const cached = accountsByName.find(key);
      if (cached) return cached;
      const row = accountByName.get(projectId, name);
      if (!row) return undefined;
      const account = mailboxAccounts.fromRow(row);
      accountsByName.set(key, account);
      return account;
    },
    async findMailboxById(id) {
      const cached = accountsById.find(id);
      if (cached) return cached;
      const row = accountById.get(id);
      if (!row) return undefined;
      const account = mailboxAccounts.fromRow(row);
      accountsById.set(id, account);
      return account;
    },
    async listMailboxes(projectId, { limit, after = 0 }) {
      return ofProject
        .all(projectId, after, limit)
        .map((row) => mailboxes.fromRow(row));
    },
    async countMailboxMessages(seq) {
      const [depth, leased, dead] = countsOf.get(seq) ?? [0, 0, 0];
      return { waiting: Math.max(0, (depth ?? 0) - leased), leased, dead };
    },
    async updateMailbox(projectId, name, change) {
      const row = await writer.run("updateMailbox", projectId, name, change);
      return row && mailboxes.fromRow(row);
    },
    deleteMailbox: (projectId, name, at) =>
      writer.run("deleteMailbox", projectId, name, at),
  };
}
