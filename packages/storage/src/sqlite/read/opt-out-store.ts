/** Who does not want texts, in SQLite: reads, and the way to the writer. */

import type { OptOutRecord, OptOutRecordStore } from "@carillon/core";
import type { Connections } from "../connections.ts";

type OptOutRow = readonly [
  recipient: string,
  sender: string,
  keyword: string,
  at: number,
];

/** Stands for all senders, for a primary key has no NULLs. */
const anySender = "";

export function createOptOutStore({
  reader,
  writer,
}: Connections): OptOutRecordStore {
  /** Asked before each text. Parameters: recipient. Index: the primary key. */
  const ofRecipient = reader.prepare<OptOutRow>(
    `SELECT recipient, sender, keyword, at FROM opt_outs
     WHERE recipient = ? ORDER BY sender`,
  );
  /** Parameters: after recipient, after sender, limit. Index: the same. */
  const page = reader.prepare<OptOutRow>(
    `SELECT recipient, sender, keyword, at FROM opt_outs
     WHERE (recipient, sender) > (?, ?) ORDER BY recipient, sender LIMIT ?`,
  );
  /** Parameters: limit. Index: the same. */
  const firstPage = reader.prepare<OptOutRow>(
    `SELECT recipient, sender, keyword, at FROM opt_outs
     ORDER BY recipient, sender LIMIT ?`,
  );

  return {
    async findOptOuts(recipient) {
      return ofRecipient.all(recipient).map(toOptOut);
    },
    putOptOut: ({ recipient, sender = anySender, keyword, at }) =>
      writer.run("putOptOut", recipient, sender, keyword, at),
    removeOptOut: (recipient, sender = anySender) =>
      writer.run("removeOptOut", recipient, sender),
    async listOptOuts({ limit, after }) {
      const rows = after
        ? page.all(after.recipient, after.sender ?? anySender, limit)
        : firstPage.all(limit);
      return rows.map(toOptOut);
    },
  };
}

function toOptOut([recipient, sender, keyword, at]: OptOutRow): OptOutRecord {
  return { recipient, ...(sender !== anySender && { sender }), keyword, at };
}
