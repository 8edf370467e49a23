/** Writes of texts from phones. */

import type { DatabaseSync } from "node:sqlite";
import { prepareQuery } from "../schema/query.ts";
import {
  createMessageWrites,
  type NewMessageValues,
} from "./message-writes.ts";

/** A new inbound message's columns, in the order of the INSERT. */
export type NewInboundValues = [
  id: string,
  projectId: string,
  provider: string,
  externalId: string | null,
  sender: string,
  receiver: string | null,
  keyword: string | null,
  receivedAt: number,
  messageId: string | null,
  text: string,
];

export function createInboundWrites(db: DatabaseSync) {
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
  const insert = db.prepare(
    `INSERT INTO inbound (id, project_id, provider, external_id, sender,
       receiver, keyword, received_at, message_id, text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const { acceptMessage } = createMessageWrites(db);

  return {
    acceptInbound(
      values: NewInboundValues,
      notification: NewMessageValues | null,
    ): { seq: number; isRepeated: boolean } {
      const [, , provider, externalId, sender] = values;
      // No two run at once: this thread is the only one that writes.
      const found =
        externalId === null
          ? undefined
          : kept.get(externalId, provider, sender, values[9]);
      if (found) return { seq: found[0], isRepeated: true };
      // Nobody holds the chunk: the engine is told once all is on disk.
      if (notification) acceptMessage(notification, null);
      const seq = Number(insert.run(...values).lastInsertRowid);
      return { seq, isRepeated: false };
    },
  };
}
