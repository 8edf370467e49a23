import type { ProjectId } from "../ids.ts";
import type { ResourceFilter } from "../topics/resource-filter.ts";
import type { ResourceTag } from "../topics/resource-tag.ts";
import type { Topic } from "../topics/topic.ts";
import type { Page, PageRequest } from "./page.ts";

export interface ResourceTagReader {
  /**
   * Tags by topic number, in the order in which their keys were added. Topics
   * without tags are left out.
   */
  listTags(
    topicSeqs: readonly number[],
  ): Promise<ReadonlyMap<number, readonly ResourceTag[]>>;
  /** Each tag of a project's topics once, in no particular order. */
  listProjectTags(projectId: ProjectId): Promise<readonly ResourceTag[]>;
  /** A project's topics that pass the filter, newest first. */
  findTaggedTopics(
    projectId: ProjectId,
    filter: ResourceFilter,
    page: PageRequest,
  ): Promise<Page<TaggedTopic>>;
}

/** A topic with its tags. */
export interface TaggedTopic {
  readonly topic: Topic;
  readonly tags: readonly ResourceTag[];
}

/** Keeps the tags of topics. */
export interface ResourceTagStore extends ResourceTagReader {
  /**
   * Adds tags of different keys; a key that is there already gets the new
   * value. Adds all or nothing.
   *
   * @throws CarillonError RESOURCE_TAG_QUOTA_EXCEEDED, TOPIC_NOT_FOUND (the
   * topic went away in between)
   */
  putTags(
    topicSeq: number,
    tags: readonly ResourceTag[],
    quota: number,
  ): Promise<void>;
  /** Answers how many of the keys were there. */
  deleteTags(topicSeq: number, keys: readonly string[]): Promise<number>;
}
