/** Resource tags of the in-memory store. */

import {
  CarillonError,
  matchesResource,
  mergeResourceTags,
  type ResourceTag,
  type ResourceTagStore,
} from "@carillon/core";
import { hasTopic, listTopics } from "./directory.ts";
import type { Tables } from "./tables.ts";

export function createResourceTagStore(tables: Tables): ResourceTagStore {
  const tagsOf = (topicSeq: number): readonly ResourceTag[] =>
    tables.tags.get(topicSeq)?.tags ?? [];
  return {
    async listTags(topicSeqs) {
      return new Map(
        topicSeqs
          .map((seq) => [seq, tagsOf(seq)] as const)
          .filter(([, tags]) => tags.length > 0),
      );
    },
    async listProjectTags(projectId) {
      const each = new Map<string, ResourceTag>();
      for (const { seq } of listTopics(tables, projectId)) {
        for (const tag of tagsOf(seq)) {
          each.set(JSON.stringify([tag.key, tag.value]), tag);
        }
      }
      return [...each.values()];
    },
    async findTaggedTopics(projectId, filter, { offset, limit }) {
      const matching = listTopics(tables, projectId)
        .reverse()
        .map((topic) => ({ topic, tags: tagsOf(topic.seq) }))
        .filter(({ topic: { name }, tags }) =>
          matchesResource(filter, { name, tags }),
        );
      return {
        total: matching.length,
        items: matching.slice(offset, offset + limit),
      };
    },
    putTags: (topicSeq, added, quota) =>
      tables.write(() => {
        if (!hasTopic(tables, topicSeq)) {
          throw new CarillonError("TOPIC_NOT_FOUND");
        }
        const tags = mergeResourceTags(tagsOf(topicSeq), added, quota);
        tables.tags.put(topicSeq, { tags });
      }),
    deleteTags: (topicSeq, keys) =>
      tables.write(() => {
        const present = tagsOf(topicSeq);
        const tags = present.filter(({ key }) => !keys.includes(key));
        if (tags.length < present.length) tables.tags.put(topicSeq, { tags });
        return present.length - tags.length;
      }),
  };
}
