/** Writes of resource tags. */

import type { DatabaseSync } from "node:sqlite";
import { prepareQuery } from "../schema/query.ts";

export function createResourceTagWrites(db: DatabaseSync) {
  const topicBySeq = prepareQuery<[seq: number]>(
    db,
    "SELECT seq FROM topics WHERE seq = ? AND deleted_at IS NULL",
  );
  const keysOfTopic = prepareQuery<[key: string]>(
    db,
    "SELECT key FROM topic_tags WHERE topic_seq = ?",
  );
  const put = db.prepare(
    `INSERT INTO topic_tags (topic_seq, key, value) VALUES (?, ?, ?)
     ON CONFLICT (topic_seq, key) DO UPDATE SET value = excluded.value`,
  );
  const remove = db.prepare(
    "DELETE FROM topic_tags WHERE topic_seq = ? AND key = ?",
  );

  return {
    putTags(
      topicSeq: number,
      tags: readonly (readonly [key: string, value: string])[],
      quota: number,
    ): "TOPIC_NOT_FOUND" | "RESOURCE_TAG_QUOTA_EXCEEDED" | undefined {
      if (!topicBySeq.get(topicSeq)) return "TOPIC_NOT_FOUND";
      const keys = new Set(keysOfTopic.all(topicSeq).map(([key]) => key));
      const present = keys.size;
      for (const [key] of tags) keys.add(key);
      // Who is above a quota that was lowered later can still change values.
      if (keys.size > quota && keys.size > present) {
        return "RESOURCE_TAG_QUOTA_EXCEEDED";
      }
      for (const [key, value] of tags) put.run(topicSeq, key, value);
      return undefined;
    },
    deleteTags(topicSeq: number, keys: readonly string[]): number {
      let deleted = 0;
      for (const key of keys) {
        deleted += Number(remove.run(topicSeq, key).changes);
      }
      return deleted;
    },
  };
}
