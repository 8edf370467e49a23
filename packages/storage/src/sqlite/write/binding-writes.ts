/** Writes of what is bound to topics. */

import type { DatabaseSync, StatementResultingChanges } from "node:sqlite";
import type { BindingKind } from "@carillon/core";
import { type BindingRecord, bindings } from "../schema/binding-table.ts";
import { bindingCodes } from "../schema/codes.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeNotices } from "./change-notices.ts";

export function createBindingWrites(db: DatabaseSync, notices: ChangeNotices) {
  const topicExists = prepareQuery<[1]>(
    db,
    "SELECT 1 FROM topics WHERE seq = ? AND deleted_at IS NULL",
  );
  const insert = db.prepare(`${bindings.insert} ON CONFLICT DO NOTHING`);
  const update = db.prepare(
    `UPDATE topic_bindings SET data = ?, updated_at = ?
     WHERE topic_seq = ? AND kind = ? AND id = ?`,
  );
  const remove = db.prepare(
    "DELETE FROM topic_bindings WHERE topic_seq = ? AND kind = ? AND id = ?",
  );

  /** Answers whether there was a change. */
  function tell(
    topicSeq: number,
    { changes }: Pick<StatementResultingChanges, "changes">,
  ) {
    if (changes === 0) return false;
    notices.note({ kind: "topic", topicSeq });
    return true;
  }

  return {
    addBinding(binding: BindingRecord): boolean | "TOPIC_NOT_FOUND" {
      if (!topicExists.get(binding.topicSeq)) return "TOPIC_NOT_FOUND";
      return tell(binding.topicSeq, insert.run(...bindings.toRow(binding)));
    },
    updateBinding({
      topicSeq,
      kind,
      id,
      data,
      updatedAt,
    }: Omit<BindingRecord, "createdAt">): boolean {
      const result = update.run(
        JSON.stringify(data),
        updatedAt,
        topicSeq,
        bindingCodes[kind],
        id,
      );
      return tell(topicSeq, result);
    },
    removeBinding(topicSeq: number, kind: BindingKind, id: string): boolean {
      return tell(topicSeq, remove.run(topicSeq, bindingCodes[kind], id));
    },
  };
}
