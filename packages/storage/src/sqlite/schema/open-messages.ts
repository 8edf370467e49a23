/** Messages that are not fully fanned out: those with ranges. */

import type { DeliveryFilter, WalkPosition } from "@carillon/core";
import type { Query, Row } from "./query.ts";

/** Which messages are looked at: from this one on, before that one, newest first. */
export interface Stretch {
  readonly from: number;
  readonly before: number;
  readonly maxMessages: number;
}

/** What a step of a walk came past. */
export function stretchOf(
  { messageSeq = 0 }: DeliveryFilter,
  from: WalkPosition,
  to: WalkPosition | undefined,
  maxMessages: number,
): Stretch {
  return {
    from: to?.beforeMessage ?? messageSeq,
    before: from.beforeMessage,
    maxMessages,
  };
}

/**
 * Finds numbers of messages that are not fully fanned out, nor cancelled. Those to
 * several topics are found without a topic only: a part of them is not cancelled.
 */
export function createOpenMessages(
  prepare: <Columns extends Row>(sql: string) => Query<Columns>,
) {
  /**
   * Parameters: from, before, project, topic, since, until, how many are looked
   * at. Indexes: messages_of_project, the primary key of ranges.
   */
  const open = prepare<[seq: number]>(
    `SELECT m.seq FROM (
       SELECT seq, topic_seq, created_at, cancelled_at
       FROM messages INDEXED BY messages_of_project
       WHERE project_id = ?3 AND seq >= ?1 AND seq < ?2
       ORDER BY seq DESC LIMIT ?7) AS m
     WHERE m.cancelled_at IS NULL
       AND (?4 IS NULL OR m.topic_seq = ?4)
       AND (?5 IS NULL OR m.created_at >= ?5)
       AND (?6 IS NULL OR m.created_at < ?6)
       AND EXISTS (SELECT 1 FROM ranges AS r WHERE r.message_seq = m.seq)`,
  );
  return (
    projectId: string,
    { topicSeq, since, until }: DeliveryFilter,
    { from, before, maxMessages }: Stretch,
  ): number[] =>
    open
      .all(
        from,
        before,
        projectId,
        topicSeq ?? null,
        since ?? null,
        until ?? null,
        maxMessages,
      )
      .map(([seq]) => seq);
}
