/** Keeps publisher accounts and their categories. */

import type { ProjectId, PublisherId } from "../ids.ts";
import type {
  Category,
  NewPullPublisher,
  PullPublisher,
  PullPublisherChange,
  TopicUse,
} from "../pull/publisher.ts";

/** Keeps publisher accounts, and their categories. */
export interface PublisherStore {
  /**
   * Adds a publisher; `undefined`, and nothing changes, when the project has one
   * of that name.
   *
   * @throws CarillonError PROJECT_DELETED
   */
  addPublisher(publisher: NewPullPublisher): Promise<PullPublisher | undefined>;
  findPublisher(
    projectId: ProjectId,
    name: string,
  ): Promise<PullPublisher | undefined>;
  /** Of whatever project: for credentials. */
  findPublisherById(id: PublisherId): Promise<PullPublisher | undefined>;
  /** Oldest first, behind the number `after`. */
  listPublishers(
    projectId: ProjectId,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly PullPublisher[]>;
  /** As it is then; `undefined`: there is none. */
  updatePublisher(
    projectId: ProjectId,
    name: string,
    change: PullPublisherChange,
  ): Promise<PullPublisher | undefined>;
  /** Its categories go with it; topics and subscriptions stay. False: there is none. */
  deletePublisher(projectId: ProjectId, name: string): Promise<boolean>;
  /**
   * Adds a category, or answers the one of that reference.
   *
   * @throws CarillonError CATEGORY_QUOTA_EXCEEDED; PUBLISHER_NOT_FOUND when the
   * publisher went away in between
   */
  addCategory(
    category: Category,
    quota: number,
  ): Promise<{ readonly category: Category; readonly created: boolean }>;
  /** False: there is none. */
  deleteCategory(publisherId: PublisherId, reference: string): Promise<boolean>;
  /** All, in the order in which they were added. */
  listCategories(publisherId: PublisherId): Promise<readonly Category[]>;
  /** Those that there are of the references, in any order. */
  findCategories(
    publisherId: PublisherId,
    references: readonly string[],
  ): Promise<readonly Category[]>;
  /**
   * What each of these topics of a project is to publishers: first those whose own
   * it is, then categories, both in the order in which they were added.
   */
  listTopicUses(
    projectId: ProjectId,
    topicNames: readonly string[],
  ): Promise<readonly TopicUse[]>;
  /**
   * What stands for each of these topics of a project in messages that are
   * fetched: the reference of its category, or {@link allCategories} for a
   * publisher's own. Topics that are neither are left out. The first of
   * {@link listTopicUses} counts.
   */
  findCategoryNames(
    projectId: ProjectId,
    topicNames: readonly string[],
  ): Promise<ReadonlyMap<string, string>>;
}
