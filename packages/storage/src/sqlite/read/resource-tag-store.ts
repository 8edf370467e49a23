/** Resource tags in SQLite: reads, and the way to the writer. */

import {
  CarillonError,
  matchesResource,
  type ResourceTag,
  type ResourceTagStore,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { type TopicRow, topics } from "../schema/topic-table.ts";

type TagRow = readonly [topicSeq: number, key: string, value: string];

export function createResourceTagStore({
  reader,
  writer,
}: Connections): ResourceTagStore {
  /** Parameters: topics as a JSON list. Index: topic_tags_key. */
  const ofTopics = reader.prepare<TagRow>(
    `SELECT topic_seq, key, value FROM topic_tags
     WHERE topic_seq IN (SELECT value FROM json_each(?)) ORDER BY seq`,
  );
  /** Parameters: project. Indexes: topics_of_project, topic_tags_key. */
  const ofProject = reader.prepare<TagRow>(
    `SELECT topic_seq, key, topic_tags.value FROM topics
     JOIN topic_tags ON topic_seq = topics.seq
     WHERE project_id = ? AND deleted_at IS NULL ORDER BY topic_tags.seq`,
  );
  /** Parameters: project. Indexes: topics_of_project, topic_tags_key. */
  const distinctOfProject = reader.prepare<[key: string, value: string]>(
    `SELECT DISTINCT key, value FROM topics
     JOIN topic_tags ON topic_seq = topics.seq
     WHERE project_id = ? AND deleted_at IS NULL`,
  );
  /** Parameters: project. Index: topics_of_project. */
  const namesOfProject = reader.prepare<[seq: number, name: string]>(
    `SELECT seq, name FROM topics
     WHERE project_id = ? AND deleted_at IS NULL ORDER BY seq DESC`,
  );
  /** Parameters: topics as a JSON list. Index: the primary key. */
  const topicsBySeq = reader.prepare<TopicRow>(
    `SELECT ${topics.columns()} FROM topics
     WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq DESC`,
  );

  return {
    async listTags(topicSeqs) {
      return byTopic(ofTopics.all(JSON.stringify(topicSeqs)));
    },
    async listProjectTags(projectId) {
      return distinctOfProject
        .all(projectId)
        .map(([key, value]) => ({ key, value }));
    },
    // Core decides what matches. A project has some thousand topics at most,
    // and the filter's many forms would each be a statement to keep.
    async findTaggedTopics(projectId, filter, { offset, limit }) {
      const tagsOf = byTopic(ofProject.all(projectId));
      const matching = namesOfProject
        .all(projectId)
        .filter(([seq, name]) =>
          matchesResource(filter, { name, tags: tagsOf.get(seq) ?? [] }),
        );
      const page = matching.slice(offset, offset + limit).map(([seq]) => seq);
      return {
        total: matching.length,
        items: topicsBySeq.all(JSON.stringify(page)).map((row) => {
          const topic = topics.fromRow(row);
          return { topic, tags: tagsOf.get(topic.seq) ?? [] };
        }),
      };
    },
    async putTags(topicSeq, tags, quota) {
      const refusal = await writer.run(
        "putTags",
        topicSeq,
        tags.map(({ key, value }) => [key, value] as const),
        quota,
      );
      switch (refusal) {
        case undefined:
          return;
        case "TOPIC_NOT_FOUND":
          throw new CarillonError(refusal, "The topic was deleted meanwhile.");
        case "RESOURCE_TAG_QUOTA_EXCEEDED":
          throw new CarillonError(
            refusal,
            `Too many tags: a topic may have ${quota}. Delete some first.`,
          );
        default:
          refusal satisfies never;
      }
    },
    deleteTags: (topicSeq, keys) => writer.run("deleteTags", topicSeq, keys),
  };
}

function byTopic(rows: readonly TagRow[]): Map<number, ResourceTag[]> {
  const tagsOf = new Map<number, ResourceTag[]>();
  for (const [topicSeq, key, value] of rows) {
    const known = tagsOf.get(topicSeq);
    if (known) known.push({ key, value });
    else tagsOf.set(topicSeq, [{ key, value }]);
  }
  return tagsOf;
}
