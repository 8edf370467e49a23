/** Writes of topics. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, TopicChange } from "@carillon/core";
import { cancelReasons, eventTopicName } from "@carillon/core/rules";
import { audienceCodes, stateCodes } from "../schema/codes.ts";
import { orNull, prepareQuery } from "../schema/query.ts";
import { statusCodes } from "../schema/subscription-status.ts";
import {
  type NewTopicRow,
  newTopics,
  type TopicRow,
  topics,
} from "../schema/topic-table.ts";
import { createCancellation } from "./cancellation.ts";
import type { ChangeJournal } from "./change-journal.ts";
import type { ChangeNotices } from "./change-notices.ts";
import { createDeletedProjectCheck } from "./deleted-projects.ts";
import { CountChanges } from "./message-counts.ts";
import { createWithdrawals } from "./withdrawal-writes.ts";

const { confirmed, confirmationNotNeeded, deleted, deletedWithTopic } =
  statusCodes;

export function createTopicWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
  notices: ChangeNotices,
) {
  const byName = prepareQuery<TopicRow>(
    db,
    `SELECT ${topics.columns()} FROM topics
     WHERE project_id = ? AND name = ? AND deleted_at IS NULL`,
  );
  const seqByName = prepareQuery<[seq: number]>(
    db,
    `SELECT seq FROM topics
     WHERE project_id = ? AND name = ? AND deleted_at IS NULL`,
  );
  const countOfProject = prepareQuery<[topics: number]>(
    db,
    "SELECT topics FROM project_counts WHERE project_id = ?",
  );
  const isDeletedProject = createDeletedProjectCheck(db);
  // Without RETURNING, which costs as much as the rest of the creation.
  const insert = db.prepare(newTopics.insert);
  const countOne = db.prepare(
    `INSERT INTO project_counts (project_id, topics) VALUES (?, 1)
     ON CONFLICT DO UPDATE SET topics = topics + 1`,
  );
  const update = db.prepare(
    `UPDATE topics SET display_name = coalesce(?, display_name),
       introduction = coalesce(?, introduction),
       access_policy = coalesce(?, access_policy), updated_at = ?
     WHERE seq = ?`,
  );
  const removal = createTopicRemoval(db, journal);

  /** The topic of events is beside all quotas. */
  function isOver(
    projectId: string,
    name: string,
    count: number,
    quota: number,
  ): boolean {
    if (count < quota || name === eventTopicName) return false;
    const hasEventTopic = seqByName.get(projectId, eventTopicName);
    return count - (hasEventTopic ? 1 : 0) >= quota;
  }

  return {
    /** Answers the new topic's number, or the row of the one of that name. */
    createTopic(
      projectId: string,
      name: string,
      topic: NewTopicRow,
      quota: number,
    ): number | TopicRow | "TOPIC_QUOTA_EXCEEDED" | "PROJECT_DELETED" {
      const known = byName.get(projectId, name);
      if (known) return known;
      const [count] = countOfProject.get(projectId) ?? [0];
      if (isOver(projectId, name, count, quota)) return "TOPIC_QUOTA_EXCEEDED";
      if (isDeletedProject(projectId)) return "PROJECT_DELETED";
      const { lastInsertRowid } = insert.run(...topic);
      countOne.run(projectId);
      const topicSeq = Number(lastInsertRowid);
      notices.note({ kind: "topic", topicSeq });
      return topicSeq;
    },
    updateTopic(projectId: string, name: string, change: TopicChange): boolean {
      const [topicSeq] = seqByName.get(projectId, name) ?? [];
      if (topicSeq === undefined) return false;
      update.run(
        orNull(change.displayName),
        orNull(change.introduction),
        orNull(change.accessPolicy),
        change.updatedAt,
        topicSeq,
      );
      notices.note({ kind: "topic", topicSeq });
      return true;
    },
    deleteTopic(projectId: string, name: string, at: EpochMs): boolean {
      const [seq] = seqByName.get(projectId, name) ?? [];
      if (seq === undefined) return false;
      removal(projectId, seq, at);
      notices.note({ kind: "topic", topicSeq: seq });
      notices.note({ kind: "subscriptions", topicSeq: seq });
      return true;
    },
  };
}

/** Removes a topic with all that hangs on it, in sets rather than row by row. */
function createTopicRemoval(db: DatabaseSync, journal: ChangeJournal) {
  const uncount = db.prepare(
    `UPDATE project_counts
     SET topics = topics - 1,
         subscriptions = subscriptions
           - (SELECT subscription_count FROM topics WHERE seq = ?)
     WHERE project_id = ?`,
  );
  const deleteTopic = db.prepare(
    `UPDATE topics SET deleted_at = ?, subscription_count = 0,
       access_policy = '' WHERE seq = ?`,
  );
  const deleteTags = db.prepare("DELETE FROM topic_tags WHERE topic_seq = ?");
  const uncountBlocks = db.prepare(
    `UPDATE subscription_blocks AS whole SET count = whole.count - part.count
     FROM subscription_blocks AS part
     WHERE part.project_id = ? AND part.topic_seq = ?
       AND whole.project_id = part.project_id AND whole.topic_seq = 0
       AND whole.block = part.block`,
  );
  const deleteBlocks = db.prepare(
    "DELETE FROM subscription_blocks WHERE project_id = ? AND topic_seq = ?",
  );
  const deleteSubscriptions = db.prepare(
    `UPDATE subscriptions SET deleted_at = ?,
       status = CASE WHEN status IN (${confirmed}, ${confirmationNotNeeded})
         THEN ${deletedWithTopic} ELSE ${deleted} END
     WHERE topic_seq = ? AND status < 4`,
  );
  const deleteStatistics = db.prepare(
    "DELETE FROM topic_statistics WHERE topic_seq = ?",
  );
  const deleteBindings = db.prepare(
    "DELETE FROM topic_bindings WHERE topic_seq = ?",
  );
  // Walks what is due in the whole store, not what was ever delivered.
  const openDeliveries = prepareQuery<
    [messageSeq: number, target: number, state: number]
  >(
    db,
    `SELECT d.message_seq, d.target, d.state
     FROM deliveries AS d INDEXED BY deliveries_due
     JOIN messages AS m ON m.seq = d.message_seq
     WHERE d.next_attempt_at IS NOT NULL
       AND (m.topic_seq = ?1 OR m.audience = ${audienceCodes.topics}
         AND EXISTS (SELECT 1 FROM subscriptions AS s
                     WHERE s.seq = d.target AND s.topic_seq = ?1))
       AND d.state IN (${stateCodes.waiting}, ${stateCodes.retrying})`,
  );
  const withdrawals = createWithdrawals(db);
  const cancel = createCancellation(db);

  return (projectId: string, seq: number, at: EpochMs): void => {
    // Before the subscriptions leave the index that finds them.
    withdrawals.addTopic(seq);
    uncount.run(seq, projectId);
    deleteTopic.run(at, seq);
    deleteTags.run(seq);
    uncountBlocks.run(projectId, seq);
    deleteBlocks.run(projectId, seq);
    deleteSubscriptions.run(at, seq);
    deleteStatistics.run(seq);
    deleteBindings.run(seq);
    // An attempt that is under way cannot be taken back: what is being sent is
    // left to its outcome. So are ranges, in which attempts may be under way
    // too; who walks the rest of one finds everybody cancelled.
    const countChanges = new CountChanges();
    for (const delivery of openDeliveries.all(seq)) {
      cancel(delivery, cancelReasons.topic_deleted, at, countChanges);
    }
    journal.addCounts(countChanges, at);
  };
}
