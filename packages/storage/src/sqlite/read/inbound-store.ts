/** Texts from phones in SQLite: reads, and the way to the writer. */

import { type InboundStore, inboundFacts } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { type InboundRow, inbound } from "../schema/inbound-table.ts";
import { toMessageRow } from "../schema/message-table.ts";
import { Conditions } from "./conditions.ts";

export function createInboundStore({
  reader,
  writer,
}: Connections): InboundStore {
  /** Parameters: number. Index: the primary key. */
  const bySeq = reader.prepare<InboundRow>(
    `SELECT ${inbound.columns()} FROM inbound WHERE seq = ?`,
  );
  /** Parameters: id, project. Index: inbound_id. */
  const byId = reader.prepare<InboundRow>(
    `SELECT ${inbound.columns()} FROM inbound WHERE id = ? AND project_id = ?`,
  );

  return {
    async acceptInbound(message, notification) {
      const { seq, isRepeated } = await writer.run(
        "acceptInbound",
        message,
        notification ? toMessageRow(notification) : null,
        inboundFacts(message, notification),
      );
      if (!isRepeated) return { inbound: { ...message, seq }, isRepeated };
      const row = bySeq.get(seq);
      if (!row) throw new Error(`There is no inbound message ${seq}.`);
      return { inbound: inbound.fromRow(row), isRepeated };
    },
    async findInbound(projectId, id) {
      const row = byId.get(id, projectId);
      return row && inbound.fromRow(row);
    },
    async listInbound(projectId, { from, to, since }, { limit, before }) {
      const where = new Conditions()
        .add("project_id = ?", projectId)
        .addIfSet("seq < ?", before)
        .addIfSet("sender = ?", from)
        .addIfSet("receiver = ?", to)
        .addIfSet("received_at >= ?", since);
      return reader
        .prepared<InboundRow>(
          `SELECT ${inbound.columns()} FROM inbound ${where.sql}
           ORDER BY seq DESC LIMIT ?`,
        )
        .all(...where.values, limit)
        .map((row) => inbound.fromRow(row));
    },
  };
}
