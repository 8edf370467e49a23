/** Writes of what is bound to topics. */

import type { DatabaseSync } from "node:sqlite";
import { prepareQuery } from "../schema/query.ts";

export function createBindingWrites(db: DatabaseSync) {
  const topicExists = prepareQuery<[1]>(
    db,
    "SELECT 1 FROM topics WHERE seq = ? AND deleted_at IS NULL",
  );
  const insert = db.prepare(
    `INSERT INTO topic_bindings
       (topic_seq, kind, id, data, created_at, updated_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?5)
     ON CONFLICT DO NOTHING`,
  );
  const update = db.prepare(
    `UPDATE topic_bindings SET data = ?, updated_at = ?
     WHERE topic_seq = ? AND kind = ? AND id = ?`,
  );
  const remove = db.prepare(
    "DELETE FROM topic_bindings WHERE topic_seq = ? AND kind = ? AND id = ?",
  );

  return {
    addBinding(
      topicSeq: number,
      kind: number,
      id: string,
      data: string,
      createdAt: number,
    ): boolean | "TOPIC_NOT_FOUND" {
      if (!topicExists.get(topicSeq)) return "TOPIC_NOT_FOUND";
      return insert.run(topicSeq, kind, id, data, createdAt).changes > 0;
    },
    updateBinding(
      topicSeq: number,
      kind: number,
      id: string,
      data: string,
      updatedAt: number,
    ): boolean {
      return update.run(data, updatedAt, topicSeq, kind, id).changes > 0;
    },
    removeBinding(topicSeq: number, kind: number, id: string): boolean {
      return remove.run(topicSeq, kind, id).changes > 0;
    },
  };
}
