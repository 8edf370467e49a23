/** Writes of mailboxes; what is in them is written by `queue-writes.ts`. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, MailboxChange, NewMailbox } from "@carillon/core";
import { legacyConfirmCodes } from "../schema/codes.ts";
import {
  type MailboxRow,
  mailboxes,
  newMailboxes,
  withDepths,
} from "../schema/mailbox-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import type { ChangeNotices } from "./change-notices.ts";
import { createDeletedProjectCheck } from "./deleted-projects.ts";
import { createSubscriptionWrites } from "./subscription-writes.ts";
import { createWithdrawals } from "./withdrawal-writes.ts";

export function createMailboxWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
  notices: ChangeNotices,
) {
  const isDeletedProject = createDeletedProjectCheck(db);
  const insert = db.prepare(`${newMailboxes.insert} ON CONFLICT DO NOTHING`);
  /** Parameters: project, name. Index: mailboxes_name. */
  const byName = prepareQuery<MailboxRow>(
    db,
    `SELECT ${mailboxes.columns()} FROM ${withDepths()}
     WHERE project_id = ? AND name = ?`,
  );
  /** Parameters: each change or NULL, project, name. Index: mailboxes_name. */
  const update = db.prepare(
    `UPDATE mailboxes SET secret_hash = coalesce(?, secret_hash),
       quota = coalesce(?, quota),
       legacy_confirm = coalesce(?, legacy_confirm),
       disabled = coalesce(?, disabled)
     WHERE project_id = ? AND name = ?`,
  );
  /** Parameters: mailbox. Index: subscriptions_of_mailbox. */
  const subscriptionsOf = prepareQuery<[topicName: string, id: string]>(
    db,
    `SELECT t.name, s.id
     FROM subscriptions AS s INDEXED BY subscriptions_of_mailbox
     JOIN topics AS t ON t.seq = s.topic_seq
     WHERE s.mailbox = ? AND s.status < 4`,
  );
  const { deleteSubscription } = createSubscriptionWrites(db, journal, notices);
  const removeMailbox = createMailboxRemoval(db, notices);

  return {
    addMailbox(
      mailbox: NewMailbox,
    ): MailboxRow | undefined | "PROJECT_DELETED" {
      const { projectId, name } = mailbox;
      if (isDeletedProject(projectId)) return "PROJECT_DELETED";
      const { changes } = insert.run(...newMailboxes.toRow(mailbox));
      return changes === 0 ? undefined : byName.get(projectId, name);
    },
    updateMailbox(
      projectId: string,
      name: string,
      { secretHash, quota, legacyConfirm, disabled }: MailboxChange,
    ): MailboxRow | undefined {
      update.run(
        secretHash ?? null,
        quota ?? null,
        legacyConfirm === undefined ? null : legacyConfirmCodes[legacyConfirm],
        disabled === undefined ? null : Number(disabled),
        projectId,
        name,
      );
      const row = byName.get(projectId, name);
      if (row) {
        const { seq: mailbox } = mailboxes.fromRow(row);
        notices.note({ kind: "mailbox", mailbox });
      }
      return row;
    },
    deleteMailbox(projectId: string, name: string, at: EpochMs): boolean {
      const row = byName.get(projectId, name);
      if (row === undefined) return false;
      const { seq } = mailboxes.fromRow(row);
      removeMailbox(seq);
      for (const [topicName, id] of subscriptionsOf.all(seq)) {
        deleteSubscription(projectId, topicName, id, at);
      }
      return true;
    },
  };
}

/** Removes a mailbox; what is in it is cancelled later. */
export function createMailboxRemoval(
  db: DatabaseSync,
  notices: ChangeNotices,
): (seq: number) => void {
  const withdrawals = createWithdrawals(db);
  const remove = db.prepare("DELETE FROM mailboxes WHERE seq = ?");
  return (seq) => {
    withdrawals.addMailbox(seq);
    remove.run(seq);
    notices.note({ kind: "mailbox", mailbox: seq });
  };
}
