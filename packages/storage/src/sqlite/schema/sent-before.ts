/**
 * Whether a template was sent about objects: asked by readers, and by the writer
 * before it keeps a message that must not be the second one.
 */

import type { RelatedObject } from "@carillon/core";
import type { Query } from "./query.ts";

/** Who asks what about: a template of one channel in one project. */
export type TemplateKey = readonly [
  projectId: string,
  templateSlug: string,
  channel: string,
];

/**
 * The first message of a template about an object from a message on.
 * Parameters: project, slug, channel, type, id, from message. Index:
 * related_objects_of_template, in which it is one step.
 */
export const nextSentSql = `SELECT message_seq
  FROM related_objects INDEXED BY related_objects_of_template
  WHERE project_id = ? AND template_slug = ? AND template_channel = ?
    AND type = ? AND id = ? AND message_seq >= ?
  ORDER BY message_seq LIMIT 1`;

/**
 * Whether one message of the template is about all objects; never about none.
 * Steps from one object's next message to the other's: as often as the rarest of
 * them has messages, at most, for each object.
 */
export function wasSentAbout(
  next: Query<[messageSeq: number]>,
  template: TemplateKey,
  objects: readonly RelatedObject[],
): boolean {
  if (objects.length === 0) return false;
  let candidate = 0;
  // How many objects in a row have the candidate.
  let agreeing = 0;
  for (let n = 0; ; n = (n + 1) % objects.length) {
    const object = objects[n];
    if (object === undefined) return false;
    const [found] =
      next.get(...template, object.type, object.id, candidate) ?? [];
    if (found === undefined) return false;
    agreeing = found === candidate ? agreeing + 1 : 1;
    candidate = found;
    if (agreeing === objects.length) return true;
  }
}
