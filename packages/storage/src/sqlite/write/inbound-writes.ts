/** Writes of texts from phones. */

import type { DatabaseSync } from "node:sqlite";
import type { NewInboundMessage } from "@carillon/core";
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
  const { acceptMessage } = createMessageWrites(db, journal);

  return {
    acceptInbound(
      message: NewInboundMessage,
      notification: NewMessageRow | null,
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
      const { projectId, id, to, receivedAt } = message;
      journal.addOccurrence(
        {
          type: "inbound.received",
          projectId,
          about: {
            inboundId: id,
            from,
            ...(to !== undefined && { to }),
            ...(message.messageId !== undefined && {
              messageId: message.messageId,
            }),
          },
        },
        receivedAt,
      );
      return { seq, isRepeated: false };
    },
  };
}
