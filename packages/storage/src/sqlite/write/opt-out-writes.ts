/** Writes of who does not want texts. */

import type { DatabaseSync } from "node:sqlite";
import type { OptOutRecord } from "@carillon/core";
import { optOuts, sender } from "../schema/inbound-table.ts";

export function createOptOutWrites(db: DatabaseSync) {
  const put = db.prepare(optOuts.replace("recipient", "sender"));
  const remove = db.prepare(
    "DELETE FROM opt_outs WHERE recipient = ? AND sender = ?",
  );

  return {
    putOptOut(optOut: OptOutRecord): void {
      put.run(...optOuts.toRow(optOut));
    },
    removeOptOut(recipient: string, from: string | undefined): boolean {
      return remove.run(recipient, sender.encode(from)).changes > 0;
    },
  };
}
