import type { ProjectId, TopicId } from "../ids.ts";
import type { EpochMs } from "../time.ts";
import type { NewTopic, Topic } from "../topics/topic.ts";
import type { Page, PageRequest } from "./page.ts";

/** Finds and lists topics. */
export interface TopicReader {
  findTopic(projectId: ProjectId, name: string): Promise<Topic | undefined>;
  /**
   * The id of the latest topic of that name, also of one that was deleted: a
   * list is gone on with behind it.
   */
  findLatestTopicId(
    projectId: ProjectId,
    name: string,
  ): Promise<TopicId | undefined>;
  /** Newest first. */
  listTopics(
    projectId: ProjectId,
    filter: TopicFilter,
    page: PageRequest,
  ): Promise<Page<Topic>>;
}

/** Which topics are asked for. What is absent does not filter. */
export interface TopicFilter {
  readonly id?: TopicId;
  readonly name?: string;
  /** Substring of the name. */
  readonly fuzzyName?: string;
  /** Substring of the display name. */
  readonly fuzzyDisplayName?: string;
  readonly enterpriseProjectId?: string;
}

/** What is changed of a topic; the rest stays. */
export interface TopicChange {
  readonly displayName?: string;
  readonly introduction?: string;
  readonly accessPolicy?: string;
  readonly updatedAt: EpochMs;
}

/** Keeps topics; a name is unique within its project. */
export interface TopicStore extends TopicReader {
  /**
   * Adds a topic; answers the one of that name when there is one already.
   *
   * @throws CarillonError TOPIC_QUOTA_EXCEEDED, PROJECT_DELETED
   */
  createTopic(
    topic: NewTopic,
    quota: number,
  ): Promise<{ topic: Topic; created: boolean }>;
  /** Answers false when there is no such topic. */
  updateTopic(
    projectId: ProjectId,
    name: string,
    change: TopicChange,
  ): Promise<boolean>;
  /**
   * Removes a topic and its subscriptions; what was not delivered yet becomes
   * `cancelled`, what waits in mailboxes by `MessageQueueStore.cancelWithdrawn`. An
   * attempt that is under way cannot be taken back: its outcome is still written.
   * Answers false when there is no such topic.
   */
  deleteTopic(
    projectId: ProjectId,
    name: string,
    at: EpochMs,
  ): Promise<boolean>;
}
