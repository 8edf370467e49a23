/** Writes of who does not want texts. */

import type { DatabaseSync } from "node:sqlite";

export function createOptOutWrites(db: DatabaseSync) {
  const put = db.prepare(
    `INSERT INTO opt_outs (recipient, sender, keyword, at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET keyword = excluded.keyword, at = excluded.at`,
  );
  const remove = db.prepare(
    "DELETE FROM opt_outs WHERE recipient = ? AND sender = ?",
  );

  return {
    putOptOut(
      recipient: string,
      sender: string,
      keyword: string,
      at: number,
    ): void {
      put.run(recipient, sender, keyword, at);
    },
    removeOptOut(recipient: string, sender: string): boolean {
      return remove.run(recipient, sender).changes > 0;
    },
  };
}
