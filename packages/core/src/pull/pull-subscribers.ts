/** Subscriber accounts: mailboxes, their credentials, and what they follow. */

import type { ProjectId } from "../ids.ts";
import type { Subscription } from "../subscriptions/subscription.ts";
import type { Mailbox, MailboxAccount, MailboxCounts } from "./mailbox.ts";
import type { WithSecret } from "./pull-publishers.ts";

/** A subscriber as its owner asks for it; unchecked. */
export interface NewSubscriberRequest {
  readonly name: unknown;
  readonly quota?: unknown;
  readonly legacyConfirm?: unknown;
}

/** What is changed; absent members stay. */
export interface SubscriberChangeRequest {
  readonly quota?: unknown;
  readonly legacyConfirm?: unknown;
  readonly disabled?: boolean | undefined;
}

/** A publisher that a subscriber follows. */
export interface Followed {
  readonly publisher: string;
  /** References; empty: only what goes to all subscribers. */
  readonly categories: readonly string[];
}

/** Manages subscriber accounts, and what they follow. */
export interface PullSubscribers {
  /** @throws CarillonError SUBSCRIBER_INVALID, SUBSCRIBER_EXISTS */
  create(
    projectId: ProjectId,
    request: NewSubscriberRequest,
  ): Promise<WithSecret<Mailbox>>;
  /**
   * Oldest first, behind the number `after` of the last of the page before.
   *
   * @throws CarillonError PAGE_INVALID
   */
  list(
    projectId: ProjectId,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<readonly Mailbox[]>;
  /** @throws CarillonError SUBSCRIBER_NOT_FOUND, as all that follow */
  get(projectId: ProjectId, name: string): Promise<Mailbox>;
  counts(mailbox: MailboxAccount): Promise<MailboxCounts>;
  /** @throws CarillonError SUBSCRIBER_INVALID */
  change(
    projectId: ProjectId,
    name: string,
    request: SubscriberChangeRequest,
  ): Promise<Mailbox>;
  /** Gives credentials to one that had none, too. */
  rotateSecret(
    projectId: ProjectId,
    name: string,
  ): Promise<WithSecret<Mailbox>>;
  remove(projectId: ProjectId, name: string): Promise<void>;
  /**
   * Subscribes the mailbox to the publisher's topic, and to the topics of the
   * categories.
   *
   * @throws CarillonError PUBLISHER_NOT_FOUND, CATEGORY_NOT_FOUND,
   * SUBSCRIPTION_QUOTA_EXCEEDED
   */
  follow(
    projectId: ProjectId,
    name: string,
    publisher: string,
    categories: readonly string[],
  ): Promise<void>;
  /**
   * Leaves the categories; without any named, or with `*` among them, the
   * publisher with all its categories.
   */
  unfollow(
    projectId: ProjectId,
    name: string,
    publisher: string,
    categories: readonly string[] | undefined,
  ): Promise<void>;
  following(projectId: ProjectId, name: string): Promise<readonly Followed[]>;
  /** All pull subscriptions of the mailbox, those to other topics with them. */
  subscriptions(mailbox: MailboxAccount): Promise<readonly Subscription[]>;
  /** As of publishers. */
  authenticate(id: string, secret: string): Promise<MailboxAccount | undefined>;
  /**
   * The mailbox by its name, or by the URN or id of one of its subscriptions.
   *
   * @throws CarillonError SUBSCRIBER_NOT_FOUND, SUBSCRIPTION_NOT_FOUND
   */
  find(projectId: ProjectId, reference: string): Promise<MailboxAccount>;
}
