/**
 * Publisher accounts: credentials that publish by categories. A publisher has a
 * topic of its own, to which all its subscribers are subscribed; each of its
 * categories is a topic, too. Whoever publishes to these topics otherwise reaches
 * the same subscribers, and webhooks can be subscribed to them.
 */

import type { ProjectId, PublisherId } from "../ids.ts";
import type { EpochMs } from "../time.ts";

/** A publisher account as it is kept. */
export interface PullPublisher {
  readonly seq: number;
  /** The user name of its credentials; unique in the store. */
  readonly id: PublisherId;
  readonly projectId: ProjectId;
  /** Unique in the project. */
  readonly name: string;
  readonly secretHash: string;
  /** The topic of `*`. */
  readonly topicName: string;
  /** Its credentials publish nothing. */
  readonly disabled?: true;
  readonly createdAt: EpochMs;
}

/** A publisher before the store gave it a number. */
export type NewPullPublisher = Omit<PullPublisher, "seq">;

/** What is changed of a publisher; the rest stays. */
export interface PullPublisherChange {
  readonly secretHash?: string;
  readonly disabled?: boolean;
}

/** A category: a reference of a publisher's, and the topic behind it. */
export interface Category {
  readonly publisherId: PublisherId;
  /** As it was given, character by character; unique of the publisher's. */
  readonly reference: string;
  readonly topicName: string;
  readonly createdAt: EpochMs;
}

/** A category as its owner sees it. */
export interface ListedCategory extends Category {
  /** It was deleted: nobody gets what is published to the category. */
  readonly isTopicDeleted?: true;
}

/** What a topic is to a publisher. */
export interface TopicUse {
  readonly topicName: string;
  /** The publisher's name. */
  readonly publisher: string;
  /** Of the category; {@link allCategories}: it is the publisher's own. */
  readonly reference: string;
}

/** What stands for each topic in messages that are fetched: its first use. */
export function toCategoryNames(
  uses: readonly TopicUse[],
): ReadonlyMap<string, string> {
  return new Map(
    uses.toReversed().map(({ topicName, reference }) => [topicName, reference]),
  );
}

/** Stands for all subscribers of a publisher. */
export const allCategories = "*";

/** Longest reference of a category, in characters. */
export const maxCategoryLength = 256;

/** Categories of one publisher. */
export const maxCategoriesOfPublisher = 1000;

/** Categories that one message names. */
export const maxCategoriesOfMessage = 100;
