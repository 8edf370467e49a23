/**
 * Whether a template was sent about objects: asked by readers, and by the writer
 * before it keeps a message that must not be the second one. A search goes by
 * rounds of bounded length: readers let others have their turn between two, and
 * the writer leaves what takes many to them.
 */

import type { RelatedObject } from "@carillon/core";
import type { Query } from "./query.ts";

/** Who asks what about: a template of one channel in one project. */
export type TemplateKey = readonly [
  projectId: string,
  templateSlug: string,
  channel: string,
];

type SeqRow = [messageSeq: number];

/** Prepared by {@link prepareSentQueries}. */
export interface SentQueries {
  readonly inOrder: Query<SeqRow>;
  readonly amongThese: Query<SeqRow>;
}

const ofObject = `project_id = ? AND template_slug = ?
    AND template_channel = ? AND type = ? AND id = ?`;

/** Index of both: related_objects_of_template, which covers them. */
export const sentSql = {
  /**
   * Messages of the template about an object, from one on. Parameters: project,
   * slug, channel, type, id, from message, limit, offset.
   */
  inOrder: `SELECT message_seq
    FROM related_objects INDEXED BY related_objects_of_template
    WHERE ${ofObject} AND message_seq >= ?
    ORDER BY message_seq LIMIT ? OFFSET ?`,
  /** Those of a few that are. Parameters: as before to id, JSON list of messages. */
  amongThese: `SELECT o.message_seq
    FROM json_each(?6) AS k
    CROSS JOIN related_objects AS o INDEXED BY related_objects_of_template
    WHERE o.project_id = ?1 AND o.template_slug = ?2
      AND o.template_channel = ?3 AND o.type = ?4 AND o.id = ?5
      AND o.message_seq = k.value`,
};

export function prepareSentQueries(
  prepare: (sql: string) => Query<SeqRow>,
): SentQueries {
  return {
    inOrder: prepare(sentSql.inOrder),
    amongThese: prepare(sentSql.amongThese),
  };
}

/** Messages in the first round; each is four times as long as the one before. */
const firstRound = 16;
/** Of about a millisecond. */
const longestRound = 1024;

/**
 * Answers whether one message of the template, from `from` on, is about all
 * objects; never about none. Stops after each round with where the next one
 * begins: no message before that is.
 *
 * A round goes as far as so many messages of whichever object has the fewest
 * there, so that all rounds together look at no more than the rarest has.
 */
export function* searchSent(
  queries: SentQueries,
  template: TemplateKey,
  objects: readonly RelatedObject[],
  from: number,
): Generator<number, boolean> {
  let begin = from;
  for (let size = firstRound; ; size = Math.min(4 * size, longestRound)) {
    const rarest = findRarest(queries, template, objects, begin, size);
    if (rarest === undefined) return false;
    const { type, id } = rarest;
    const seqs = queries.inOrder
      .all(...template, type, id, begin, size, 0)
      .map(([seq]) => seq);
    if (hasCommon(queries, template, objects, rarest, seqs)) return true;
    const last = seqs.at(-1);
    if (last === undefined || seqs.length < size) return false;
    begin = last + 1;
    yield begin;
  }
}

/** The one that gets farthest in so many messages. */
function findRarest(
  { inOrder }: SentQueries,
  template: TemplateKey,
  objects: readonly RelatedObject[],
  begin: number,
  size: number,
): RelatedObject | undefined {
  let rarest = objects[0];
  if (objects.length < 2) return rarest;
  let farthest = -1;
  for (const object of objects) {
    const { type, id } = object;
    const [end] = inOrder.get(...template, type, id, begin, 1, size - 1) ?? [];
    // It has not so many left.
    if (end === undefined) return object;
    if (end > farthest) {
      farthest = end;
      rarest = object;
    }
  }
  return rarest;
}

/** Whether one of the messages, which are about `known`, is about all others. */
function hasCommon(
  { amongThese }: SentQueries,
  template: TemplateKey,
  objects: readonly RelatedObject[],
  known: RelatedObject,
  seqs: readonly number[],
): boolean {
  let common = seqs;
  for (const object of objects) {
    if (common.length === 0) return false;
    if (object === known) continue;
    const { type, id } = object;
    common = amongThese
      .all(...template, type, id, JSON.stringify(common))
      .map(([seq]) => seq);
  }
  return common.length > 0;
}
