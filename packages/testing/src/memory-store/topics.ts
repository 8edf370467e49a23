/** Topics of the in-memory store. */

import {
  CarillonError,
  type EpochMs,
  eventTopicName,
  type TopicStore,
} from "@carillon/core";
import { removeBindings } from "./bindings.ts";
import { cancelTopic } from "./deliveries.ts";
import {
  checkProject,
  endSubscription,
  findTopic,
  listActive,
  listTopics,
} from "./directory.ts";
import { cutPage, equals, seqOfMarker } from "./lists.ts";
import type { Tables } from "./tables.ts";

export function createTopicStore(tables: Tables): TopicStore {
  const { topics, write } = tables;
  return {
    async findTopic(projectId, name) {
      return findTopic(tables, projectId, name);
    },
    async findLatestTopicId(projectId, name) {
      return topics.list().findLast((it) => equals(it, { projectId, name }))
        ?.id;
    },
    async listTopics(projectId, filter, page) {
      const { fuzzyName = "", fuzzyDisplayName = "", ...exact } = filter;
      const matching = listTopics(tables, projectId).filter(
        (topic) =>
          equals(topic, exact) &&
          topic.name.includes(fuzzyName) &&
          topic.displayName.includes(fuzzyDisplayName),
      );
      const last = seqOfMarker(topics.list(), projectId, page);
      return cutPage(matching.reverse(), page, (topic) => topic.seq < last);
    },
    createTopic: (topic, quota) =>
      write(() => {
        const known = findTopic(tables, topic.projectId, topic.name);
        if (known) return { topic: known, created: false };
        const others = listTopics(tables, topic.projectId).filter(
          ({ name }) => name !== eventTopicName,
        );
        if (topic.name !== eventTopicName && others.length >= quota) {
          throw new CarillonError("TOPIC_QUOTA_EXCEEDED");
        }
        checkProject(tables, topic.projectId);
        const seq = topics.size + 1;
        return { topic: topics.put(seq, { ...topic, seq }), created: true };
      }),
    updateTopic: (projectId, name, change) =>
      write(() => {
        const topic = findTopic(tables, projectId, name);
        if (topic) topics.put(topic.seq, { ...topic, ...change });
        return topic !== undefined;
      }),
    deleteTopic: (projectId, name, at) =>
      write(() => {
        const topic = findTopic(tables, projectId, name);
        // A row that it would be written to refuses what is no instant.
        if (topic) removeTopic(tables, topic.seq, at as EpochMs);
        return topic !== undefined;
      }),
  };
}

function removeTopic(tables: Tables, topicSeq: number, at: EpochMs): void {
  const targets = listActive(tables, topicSeq).map(({ seq }) => seq);
  tables.deletedTopics.put(topicSeq, { targets });
  for (const subscription of tables.subscriptions.list()) {
    if (subscription.topicSeq === topicSeq) {
      endSubscription(tables, subscription);
    }
  }
  tables.tags.delete(topicSeq);
  tables.statistics.deleteWhere((count) => count.topicSeq === topicSeq);
  removeBindings(tables, topicSeq);
  cancelTopic(tables, topicSeq, at);
}
