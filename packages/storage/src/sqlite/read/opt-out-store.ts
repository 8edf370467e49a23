/** Who does not want texts, in SQLite: reads, and the way to the writer. */

import type { OptOutRecordStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { type OptOutRow, optOuts, sender } from "../schema/inbound-table.ts";

export function createOptOutStore({
  reader,
  writer,
}: Connections): OptOutRecordStore {
  /** Asked before each text. Parameters: recipient. Index: the primary key. */
  const ofRecipient = reader.prepare<OptOutRow>(
    `SELECT ${optOuts.columns()} FROM opt_outs
     WHERE recipient = ? ORDER BY sender`,
  );
  /** Parameters: after recipient, after sender, limit. Index: the same. */
  const page = reader.prepare<OptOutRow>(
    `SELECT ${optOuts.columns()} FROM opt_outs
     WHERE (recipient, sender) > (?, ?) ORDER BY recipient, sender LIMIT ?`,
  );
  /** Parameters: limit. Index: the same. */
  const firstPage = reader.prepare<OptOutRow>(
    `SELECT ${optOuts.columns()} FROM opt_outs
     ORDER BY recipient, sender LIMIT ?`,
  );

  return {
    async findOptOuts(recipient) {
      return ofRecipient.all(recipient).map((row) => optOuts.fromRow(row));
    },
    putOptOut: (optOut) => writer.run("putOptOut", optOut),
    removeOptOut: (recipient, from) =>
      writer.run("removeOptOut", recipient, from),
    async listOptOuts({ limit, after }) {
      const rows = after
        ? page.all(after.recipient, sender.encode(after.sender), limit)
        : firstPage.all(limit);
      return rows.map((row) => optOuts.fromRow(row));
    },
  };
}
