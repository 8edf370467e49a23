/** Writes of texts from phones. */

import type { DatabaseSync } from "node:sqlite";
import type { NewInboundMessage, Occurrence } from "@carillon/core";
import { lateOutcomesMs } from "@carillon/core/rules";
import { newInbound } from "../schema/inbound-table.ts";
import type { NewMessageRow } from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createMessageWrites } from "./message-writes.ts";

export function createInboundWrites(db: DatabaseSync, journal: ChangeJournal) {
  /**
   * The same text, kept before.
   * Parameters: external id, provider, sender, text.
   * Index: inbound_external_id.
   */
  const kept = prepareQuery<[seq: number]>(
    db,
    `SELECT seq FROM inbound INDEXED BY inbound_external_id
     WHERE external_id = ? AND provider = ? AND sender = ? AND text = ?
     ORDER BY seq LIMIT 1`,
  );
  const insert = db.prepare(newInbound.insert);
  /**
   * The message that a text replies to.
   * Parameters: project, sender, when it came, since when a life may have ended.
   * Index: the primary keys.
   */
  const replied = prepareQuery<[seq: number, id: string]>(
    db,
    `SELECT m.seq, m.id FROM reply_messages AS r
     CROSS JOIN messages AS m ON m.seq = r.message_seq
     WHERE r.project_id = ? AND r.phone = ?
       AND coalesce(m.not_before, m.created_at) <= ?
       AND coalesce(m.status_until, m.expires_at) > ?`,
  );
  const { acceptMessage } = createMessageWrites(db, journal);

  return {
    acceptInbound(
      message: NewInboundMessage,
      notification: NewMessageRow | null,
      about: Occurrence["about"],
    ): { seq: number; isRepeated: boolean } {
      const { provider, externalId, from, text } = message;
      // No two run at once: this thread is the only one that writes.
      const found =
        externalId === undefined
          ? undefined
          : kept.get(externalId, provider, from, text);
      if (found) return { seq: found[0], isRepeated: true };
      // The range is not leased: the engine gets a hint once all is on disk.
      if (notification) {
        acceptMessage(notification, null, message.receivedAt, null);
      }
      const seq = Number(
        insert.run(...newInbound.toRow(message)).lastInsertRowid,
      );
      const { projectId, receivedAt } = message;
      const since = receivedAt - lateOutcomesMs;
      const reply = replied.get(projectId, from, receivedAt, since);
      const type = "inbound.received";
      journal.addOccurrence(
        reply === undefined
          ? { type, projectId, about }
          : {
              type,
              projectId,
              about: { ...about, inReplyTo: reply[1] },
              ofMessage: reply[0],
            },
        receivedAt,
      );
      return { seq, isRepeated: false };
    },
  };
}
