/** Publisher accounts, their categories, and publishing by these. */

import type { PublishedMessage, PublishRequest } from "../engine/publish.ts";
import type { ProjectId } from "../ids.ts";
import type { Category, ListedCategory, PullPublisher } from "./publisher.ts";

/** An account together with its secret, which is shown once. */
export interface WithSecret<Account> {
  readonly account: Account;
  readonly secret: string;
}

/** How many subscribers a message went to. */
export interface PublicationCounts {
  /** It is in their mailbox, or on its way to them. */
  readonly passed: number;
  /** Their mailbox is full or disabled. */
  readonly failed: number;
  readonly total: number;
}

/** A publisher as its owner asks for it; unchecked. */
export interface NewPublisherRequest {
  readonly name: unknown;
  /** Default: its name. Made if there is none. */
  readonly topic?: unknown;
}

/** A category as its owner asks for it; unchecked. */
export interface NewCategoryRequest {
  readonly reference: unknown;
  /** Default: made from the publisher's name and the reference. */
  readonly topic?: unknown;
}

/** Manages publisher accounts, and publishes by their categories. */
export interface PullPublishers {
  /** @throws CarillonError PUBLISHER_INVALID, PUBLISHER_EXISTS, and those of topics */
  create(
    projectId: ProjectId,
    request: NewPublisherRequest,
  ): Promise<WithSecret<PullPublisher>>;
  /**
   * Oldest first, behind the number `after` of the last of the page before.
   *
   * @throws CarillonError PAGE_INVALID
   */
  list(
    projectId: ProjectId,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<readonly PullPublisher[]>;
  /** @throws CarillonError PUBLISHER_NOT_FOUND, as all that follow */
  get(projectId: ProjectId, name: string): Promise<PullPublisher>;
  setDisabled(
    projectId: ProjectId,
    name: string,
    disabled: boolean,
  ): Promise<PullPublisher>;
  rotateSecret(
    projectId: ProjectId,
    name: string,
  ): Promise<WithSecret<PullPublisher>>;
  remove(projectId: ProjectId, name: string): Promise<void>;
  /** @throws CarillonError CATEGORY_INVALID, CATEGORY_QUOTA_EXCEEDED, and those of topics */
  addCategory(
    projectId: ProjectId,
    name: string,
    request: NewCategoryRequest,
  ): Promise<{ readonly category: Category; readonly created: boolean }>;
  listCategories(
    projectId: ProjectId,
    name: string,
  ): Promise<readonly ListedCategory[]>;
  /** @throws CarillonError CATEGORY_NOT_FOUND */
  removeCategory(
    projectId: ProjectId,
    name: string,
    reference: string,
  ): Promise<void>;
  /**
   * Whose credentials these are; `undefined`: nobody's, or of one that is disabled.
   * Takes as long for an unknown id as for a wrong secret.
   */
  authenticate(id: string, secret: string): Promise<PullPublisher | undefined>;
  /**
   * Publishes to categories, each subscriber once, and resolves when the message is
   * in all mailboxes, 10 s later at the latest, with the counts as they are then.
   * Categories that do not exist are passed over; without any that does nothing is
   * published, and all counts are 0.
   *
   * An abort ends the wait only: what was accepted goes on.
   *
   * @throws CarillonError those of `Publisher.publish`; CATEGORY_INVALID
   */
  publish(
    publisher: PullPublisher,
    categories: readonly string[],
    request: PublishRequest,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<{
    /** Absent: it is delayed, and nobody has it yet. */
    readonly counts?: PublicationCounts;
    readonly published?: PublishedMessage;
  }>;
}
