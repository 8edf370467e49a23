/** Resource tags of the in-memory store. */

import {
  CarillonError,
  matchesResource,
  mergeResourceTags,
  type Page,
  type PageRequest,
  type ProjectId,
  type ResourceFilter,
  type ResourceTag,
  type TaggedTopic,
  type Topic,
} from "@carillon/core";
import type { MemoryDirectory } from "./memory-directory.ts";

export class MemoryResourceTags {
  readonly #directory: MemoryDirectory;
  /** By topic number. */
  readonly #tags = new Map<number, readonly ResourceTag[]>();

  constructor(directory: MemoryDirectory) {
    this.#directory = directory;
  }

  listTags(
    topicSeqs: readonly number[],
  ): ReadonlyMap<number, readonly ResourceTag[]> {
    return new Map(
      topicSeqs
        .map((seq) => [seq, this.#tags.get(seq) ?? []] as const)
        .filter(([, tags]) => tags.length > 0),
    );
  }

  listProjectTags(projectId: ProjectId): readonly ResourceTag[] {
    const each = new Map<string, ResourceTag>();
    for (const { seq } of this.#topicsOf(projectId)) {
      for (const tag of this.#tags.get(seq) ?? []) {
        each.set(JSON.stringify([tag.key, tag.value]), tag);
      }
    }
    return [...each.values()];
  }

  findTaggedTopics(
    projectId: ProjectId,
    filter: ResourceFilter,
    { offset, limit }: PageRequest,
  ): Page<TaggedTopic> {
    const matching = this.#topicsOf(projectId)
      .map((topic) => ({ topic, tags: this.#tags.get(topic.seq) ?? [] }))
      .filter(({ topic: { name }, tags }) =>
        matchesResource(filter, { name, tags }),
      );
    return {
      total: matching.length,
      items: matching.slice(offset, offset + limit),
    };
  }

  putTags(topicSeq: number, tags: readonly ResourceTag[], quota: number): void {
    if (!this.#directory.hasTopic(topicSeq)) {
      throw new CarillonError("TOPIC_NOT_FOUND");
    }
    const present = this.#tags.get(topicSeq) ?? [];
    this.#tags.set(topicSeq, mergeResourceTags(present, tags, quota));
  }

  deleteTags(topicSeq: number, keys: readonly string[]): number {
    const present = this.#tags.get(topicSeq) ?? [];
    const kept = present.filter(({ key }) => !keys.includes(key));
    this.#tags.set(topicSeq, kept);
    return present.length - kept.length;
  }

  deleteTopic(topicSeq: number): void {
    this.#tags.delete(topicSeq);
  }

  /** Newest first. */
  #topicsOf(projectId: ProjectId): readonly Topic[] {
    const all = { offset: 0, limit: Number.POSITIVE_INFINITY };
    return this.#directory.listTopics(projectId, {}, all).items;
  }
}
