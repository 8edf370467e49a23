/** What owners do with the tags of their topics. */

import { CarillonError } from "../errors.ts";
import type { ProjectId, TopicId } from "../ids.ts";
import type { Page } from "../ports/page.ts";
import type {
  ResourceTagStore,
  TaggedTopic,
} from "../ports/resource-tag-store.ts";
import type { TopicReader } from "../ports/topic-store.ts";
import { parseTopicUrn } from "../urn.ts";
import type { ResourceQuery } from "./resource-filter.ts";
import {
  checkNewTags,
  checkResourceTag,
  checkTagKey,
  checkTagKeys,
  defaultTagsPerTopic,
  type ResourceTag,
  type ResourceTagRequest,
  type TagBatch,
} from "./resource-tag.ts";
import type { Topic } from "./topic.ts";

export interface ResourceTagsOptions {
  /** The region that stands in this installation's URNs. */
  readonly region: string;
  /** Tags a topic may have. */
  readonly quota?: () => number;
}

/** How a request names a topic. */
export interface TopicReference {
  /** `id` also takes a URN. */
  readonly kind: "id" | "name";
  readonly value: string;
}

/** A key that a project's topics have, with all its values. */
export interface ProjectTag {
  readonly key: string;
  readonly values: readonly string[];
}

/** Each throws CarillonError TOPIC_NOT_FOUND when there is no such topic. */
export interface ResourceTags {
  /**
   * Adds a tag; the same key gets the new value.
   *
   * @throws CarillonError RESOURCE_TAG_INVALID, RESOURCE_TAG_QUOTA_EXCEEDED
   */
  put(
    projectId: ProjectId,
    topic: TopicReference,
    tag: ResourceTagRequest,
  ): Promise<void>;
  /**
   * Adds or deletes many; all or none.
   *
   * @throws CarillonError RESOURCE_TAG_INVALID, RESOURCE_TAG_QUOTA_EXCEEDED
   */
  applyBatch(
    projectId: ProjectId,
    topic: TopicReference,
    batch: TagBatch,
  ): Promise<void>;
  /** @throws CarillonError RESOURCE_TAG_INVALID, RESOURCE_TAG_NOT_FOUND */
  remove(
    projectId: ProjectId,
    topic: TopicReference,
    key: unknown,
  ): Promise<void>;
  list(
    projectId: ProjectId,
    topic: TopicReference,
  ): Promise<readonly ResourceTag[]>;
  /** Tags of many topics at once; by topic number. */
  listOf(
    topics: readonly Pick<Topic, "seq">[],
  ): Promise<ReadonlyMap<number, readonly ResourceTag[]>>;
  /** Sorted. */
  listOfProject(projectId: ProjectId): Promise<readonly ProjectTag[]>;
  /** Finds or counts topics by their tags. */
  query(
    projectId: ProjectId,
    query: ResourceQuery,
  ): Promise<
    | ({ readonly action: "filter" } & Page<TaggedTopic>)
    | { readonly action: "count"; readonly total: number }
  >;
}

/** Builds the operations on the tags of topics. */
export function createResourceTags(
  ports: { readonly store: ResourceTagStore & TopicReader },
  options: ResourceTagsOptions,
): ResourceTags {
  const { store } = ports;
  const { region, quota = () => defaultTagsPerTopic } = options;

  async function findTopic(
    projectId: ProjectId,
    { kind, value }: TopicReference,
  ): Promise<Topic | undefined> {
    if (kind === "name") return await store.findTopic(projectId, value);
    const urn = parseTopicUrn(value);
    if (urn) {
      const isOwn = urn.projectId === projectId && urn.region === region;
      return isOwn
        ? await store.findTopic(projectId, urn.topicName)
        : undefined;
    }
    const { items } = await store.listTopics(
      projectId,
      // An id nobody has is a filter that nothing passes.
      { id: value as TopicId },
      { offset: 0, limit: 1 },
    );
    return items[0];
  }

  async function seqOf(
    projectId: ProjectId,
    reference: TopicReference,
  ): Promise<number> {
    const topic = await findTopic(projectId, reference);
    if (topic) return topic.seq;
    throw new CarillonError("TOPIC_NOT_FOUND", "Topic not found.");
  }

  return {
    async put(projectId, topic, tag) {
      const checked = checkResourceTag(tag);
      await store.putTags(await seqOf(projectId, topic), [checked], quota());
    },
    async applyBatch(projectId, topic, batch) {
      if (batch.action === "create") {
        const tags = checkNewTags(batch.tags);
        await store.putTags(await seqOf(projectId, topic), tags, quota());
      } else {
        const keys = checkTagKeys(batch.keys);
        await store.deleteTags(await seqOf(projectId, topic), keys);
      }
    },
    async remove(projectId, topic, key) {
      const checked = checkTagKey(key);
      const seq = await seqOf(projectId, topic);
      if ((await store.deleteTags(seq, [checked])) > 0) return;
      throw new CarillonError(
        "RESOURCE_TAG_NOT_FOUND",
        "The topic has no tag of that key.",
      );
    },
    async list(projectId, topic) {
      const seq = await seqOf(projectId, topic);
      return (await store.listTags([seq])).get(seq) ?? [];
    },
    listOf: (topics) => store.listTags(topics.map(({ seq }) => seq)),
    async listOfProject(projectId) {
      const values = new Map<string, string[]>();
      for (const { key, value } of await store.listProjectTags(projectId)) {
        const known = values.get(key);
        if (known) known.push(value);
        else values.set(key, [value]);
      }
      return [...values.keys()]
        .sort()
        .map((key) => ({ key, values: (values.get(key) ?? []).sort() }));
    },
    async query(projectId, query) {
      if (query.action === "filter") {
        const { filter, page } = query;
        const found = await store.findTaggedTopics(projectId, filter, page);
        return { action: "filter", ...found };
      }
      const { total } = await store.findTaggedTopics(projectId, query.filter, {
        offset: 0,
        limit: 0,
      });
      return { action: "count", total };
    },
  };
}
