/** Messages that are not fanned out: those with ranges. */

import type { DeliveryFilter, WalkPosition } from "@carillon/core";
import type { Query, Row } from "./query.ts";

/** Which of a walk's messages are meant: from this one on, before that one. */
export interface Stretch {
  readonly from: number;
  readonly before: number;
}

/** What a step of a walk came past. */
export function stretchOf(
  { messageSeq = 0 }: DeliveryFilter,
  from: WalkPosition,
  next: WalkPosition | undefined,
): Stretch {
  return {
    from: next?.beforeMessage ?? messageSeq,
    before: from.beforeMessage,
  };
}

/**
 * Finds numbers of messages that are not fanned out, nor cancelled. Those to
 * several topics are found without a topic only: a part of them is not cancelled.
 */
export function createOpenMessages(
  prepare: <Columns extends Row>(sql: string) => Query<Columns>,
) {
  /**
   * Parameters: from, before, project, topic, since, until, limit. Indexes: the
   * primary keys; it looks at the ranges of the stretch, which are few.
   */
  const open = prepare<[seq: number]>(
    `SELECT DISTINCT r.message_seq FROM ranges AS r
     CROSS JOIN messages AS m ON m.seq = r.message_seq
     WHERE r.message_seq >= ?1 AND r.message_seq < ?2
       AND m.project_id = ?3 AND m.cancelled_at IS NULL
       AND (?4 IS NULL OR m.topic_seq = ?4)
       AND (?5 IS NULL OR m.created_at >= ?5)
       AND (?6 IS NULL OR m.created_at < ?6)
     LIMIT ?7`,
  );
  return (
    projectId: string,
    { topicSeq, since, until }: DeliveryFilter,
    { from, before }: Stretch,
    limit: number,
  ): number[] =>
    open
      .all(
        from,
        before,
        projectId,
        topicSeq ?? null,
        since ?? null,
        until ?? null,
        limit,
      )
      .map(([seq]) => seq);
}
