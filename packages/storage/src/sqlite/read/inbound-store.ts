/** Texts from phones in SQLite: reads, and the way to the writer. */

import type {
  InboundMessage,
  InboundStore,
  MessageId,
  NewInboundMessage,
  ProjectId,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { toMessageValues } from "../schema/message-row.ts";
import { orNull } from "../schema/query.ts";
import type { NewInboundValues } from "../write/inbound-writes.ts";
import { Conditions } from "./conditions.ts";

const columns = `seq, id, project_id, provider, external_id, sender, receiver,
  keyword, received_at, message_id, text`;

type InboundRow = readonly [seq: number, ...NewInboundValues];

export function createInboundStore({
  reader,
  writer,
}: Connections): InboundStore {
  /** Parameters: number. Index: the primary key. */
  const bySeq = reader.prepare<InboundRow>(
    `SELECT ${columns} FROM inbound WHERE seq = ?`,
  );
  /** Parameters: id, project. Index: inbound_id. */
  const byId = reader.prepare<InboundRow>(
    `SELECT ${columns} FROM inbound WHERE id = ? AND project_id = ?`,
  );

  return {
    async acceptInbound(inbound, notification) {
      const { seq, isRepeated } = await writer.run(
        "acceptInbound",
        toValues(inbound),
        notification ? toMessageValues(notification) : null,
      );
      if (!isRepeated) return { inbound: { ...inbound, seq }, isRepeated };
      const row = bySeq.get(seq);
      if (!row) throw new Error(`There is no inbound message ${seq}.`);
      return { inbound: toInbound(row), isRepeated };
    },
    async findInbound(projectId, id) {
      const row = byId.get(id, projectId);
      return row && toInbound(row);
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
          `SELECT ${columns} FROM inbound ${where.sql}
           ORDER BY seq DESC LIMIT ?`,
        )
        .all(...where.values, limit)
        .map(toInbound);
    },
  };
}

function toValues(inbound: NewInboundMessage): NewInboundValues {
  return [
    inbound.id,
    inbound.projectId,
    inbound.provider,
    orNull(inbound.externalId),
    inbound.from,
    orNull(inbound.to),
    orNull(inbound.keyword),
    inbound.receivedAt,
    orNull(inbound.messageId),
    inbound.text,
  ];
}

function toInbound(row: InboundRow): InboundMessage {
  const [seq, id, projectId, provider, externalId, from, to, keyword] = row;
  const [, , , , , , , , receivedAt, messageId, text] = row;
  return {
    seq,
    id,
    projectId: projectId as ProjectId,
    provider,
    ...(externalId !== null && { externalId }),
    from,
    ...(to !== null && { to }),
    text,
    ...(keyword !== null && { keyword }),
    receivedAt,
    ...(messageId !== null && { messageId: messageId as MessageId }),
  };
}
