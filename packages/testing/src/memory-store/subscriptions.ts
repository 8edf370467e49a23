/** Topics, subscriptions and tokens of the in-memory store. */

import {
  CarillonError,
  type ConfirmationLimit,
  type ConfirmationWindow,
  countConfirmation,
  type NewSubscription,
  type NewTopic,
  type Page,
  type PageRequest,
  type ProjectId,
  type SubscriberNotice,
  type Subscription,
  type SubscriptionChange,
  type SubscriptionFilter,
  type SubscriptionId,
  subscriptionStatus,
  type Topic,
  type TopicChange,
  type TopicFilter,
} from "@carillon/core";
import { cutPage, equals, seqOfMarker } from "./memory-lists.ts";

export class MemoryDirectory {
  /** All that ever were, by number: markers and the ledger name deleted ones. */
  readonly #topics = new Map<number, Topic>();
  readonly #deletedTopics = new Set<number>();
  readonly subscriptions = new Map<number, Subscription>();
  readonly #tokens = new Map<string, { seq: number; expiresAt: number }>();
  /** By endpoint; a window for each limit. */
  readonly #confirmations = new Map<string, readonly ConfirmationWindow[]>();
  /** Of deleted topics: the subscriptions that were active then. */
  readonly #lastAudiences = new Map<number, readonly Subscription[]>();

  findTopic(projectId: ProjectId, name: string): Topic | undefined {
    return this.#topicsOf(projectId).find((topic) => topic.name === name);
  }

  findTopicBySeq(seq: number): Topic | undefined {
    return this.#deletedTopics.has(seq) ? undefined : this.#topics.get(seq);
  }

  listTopics(
    projectId: ProjectId,
    filter: TopicFilter,
    page: PageRequest,
  ): Page<Topic> {
    const { fuzzyName = "", fuzzyDisplayName = "", ...exact } = filter;
    const matching = this.#topicsOf(projectId).filter(
      (topic) =>
        equals(topic, exact) &&
        topic.name.includes(fuzzyName) &&
        topic.displayName.includes(fuzzyDisplayName),
    );
    const last = seqOfMarker(this.#topics, projectId, page);
    return cutPage(matching.reverse(), page, (topic) => topic.seq < last);
  }

  hasTopic(seq: number): boolean {
    return this.#topics.has(seq) && !this.#deletedTopics.has(seq);
  }

  createTopic(
    topic: NewTopic,
    quota: number,
  ): { topic: Topic; created: boolean } {
    const known = this.findTopic(topic.projectId, topic.name);
    if (known) return { topic: known, created: false };
    if (this.#topicsOf(topic.projectId).length >= quota) {
      throw new CarillonError("TOPIC_QUOTA_EXCEEDED");
    }
    const created: Topic = { ...topic, seq: this.#topics.size + 1 };
    this.#topics.set(created.seq, created);
    return { topic: created, created: true };
  }

  updateTopic(
    projectId: ProjectId,
    name: string,
    change: TopicChange,
  ): boolean {
    const topic = this.findTopic(projectId, name);
    if (!topic) return false;
    this.#topics.set(topic.seq, { ...topic, ...change });
    return true;
  }

  /** Answers the removed topic. */
  deleteTopic(projectId: ProjectId, name: string): Topic | undefined {
    const topic = this.findTopic(projectId, name);
    if (!topic) return undefined;
    this.#lastAudiences.set(topic.seq, this.listActive(topic.seq));
    this.#deletedTopics.add(topic.seq);
    for (const subscription of this.subscriptions.values()) {
      if (subscription.topicSeq === topic.seq) this.#remove(subscription);
    }
    return topic;
  }

  findSubscription(
    projectId: ProjectId,
    topicName: string,
    id: SubscriptionId,
  ): Subscription | undefined {
    const found = this.findSubscriptionById(id);
    return found?.projectId === projectId && found.topicName === topicName
      ? found
      : undefined;
  }

  findSubscriptionById(id: SubscriptionId): Subscription | undefined {
    return this.#present().find((subscription) => subscription.id === id);
  }

  listSubscriptions(
    projectId: ProjectId,
    filter: SubscriptionFilter,
    page: PageRequest,
  ): Page<Subscription> {
    const { fuzzyRemark = "", ...exact } = filter;
    const matching = this.#present().filter(
      (subscription) =>
        subscription.projectId === projectId &&
        equals(subscription, exact) &&
        subscription.remark.includes(fuzzyRemark),
    );
    const last = seqOfMarker(this.subscriptions, projectId, page);
    return cutPage(matching, page, (it) => it.seq > last);
  }

  /** Recipients of a topic's messages, in order of their numbers. */
  listActive(topicSeq: number): Subscription[] {
    return this.#present().filter(
      (subscription) =>
        subscription.topicSeq === topicSeq && isActive(subscription),
    );
  }

  /** Whom a topic's chunks are for; after its end, whom they were for. */
  listAudience(topicSeq: number): {
    subscriptions: readonly Subscription[];
    isCancelled: boolean;
  } {
    const last = this.#lastAudiences.get(topicSeq);
    const subscriptions = last ?? this.listActive(topicSeq);
    return { subscriptions, isCancelled: last !== undefined };
  }

  /** `mailTo`: set when the confirmation is to be sent. */
  addSubscription(
    subscription: NewSubscription,
    confirmation: SubscriberNotice | undefined,
    quota: number,
  ): {
    subscription: Subscription;
    created: boolean;
    throttled?: true;
    mailTo?: number;
  } {
    const topic = this.#topicsOf(subscription.projectId).find(
      (it) => it.seq === subscription.topicSeq,
    );
    if (!topic) throw new CarillonError("TOPIC_NOT_FOUND");
    const siblings = this.#present().filter(
      (other) => other.topicSeq === topic.seq,
    );
    const known = siblings.find(
      (other) =>
        other.protocol === subscription.protocol &&
        other.endpoint === subscription.endpoint,
    );
    if (!known && siblings.length >= quota) {
      throw new CarillonError("SUBSCRIPTION_QUOTA_EXCEEDED");
    }
    const kept: Subscription = known
      ? known.status === subscriptionStatus.cancelled
        ? { ...known, status: subscription.status }
        : known
      : {
          ...subscription,
          seq: this.subscriptions.size + 1,
          topicName: topic.name,
        };
    this.subscriptions.set(kept.seq, kept);
    const answer = { subscription: kept, created: !known };
    if (!confirmation || kept.status !== subscriptionStatus.unconfirmed) {
      return answer;
    }
    const limits = confirmation.limits ?? [];
    if (!this.#admit(kept, limits, subscription.createdAt)) {
      return { ...answer, throttled: true };
    }
    this.#keepToken(kept, confirmation);
    return { ...answer, mailTo: kept.seq };
  }

  confirmSubscription(token: string, now: number): Subscription | undefined {
    const known = this.#tokens.get(token);
    if (!known || known.expiresAt <= now) return undefined;
    const subscription = this.subscriptions.get(known.seq);
    if (!subscription || isDeleted(subscription)) return undefined;
    this.#confirmations.delete(endpointKey(subscription));
    if (isActive(subscription)) return subscription;
    return this.#setStatus(subscription, "confirmed");
  }

  /** `mail`: set when the unsubscribe notice is to be sent. */
  cancelSubscription(
    id: SubscriptionId,
    unsubscribeNotice: (subscription: Subscription) => SubscriberNotice,
  ): { subscription: Subscription; mail?: SubscriberNotice } | undefined {
    const known = this.findSubscriptionById(id);
    if (!known) return undefined;
    if (known.status === subscriptionStatus.cancelled) {
      return { subscription: known };
    }
    const mail = unsubscribeNotice(known);
    this.#keepToken(known, mail);
    return { subscription: this.#setStatus(known, "cancelled"), mail };
  }

  updateSubscription(
    projectId: ProjectId,
    topicName: string,
    id: SubscriptionId,
    change: SubscriptionChange,
  ): boolean {
    const known = this.findSubscription(projectId, topicName, id);
    if (!known) return false;
    const { filterPolicies: before, ...rest } = known;
    const { remark = known.remark, filterPolicies = before } = change;
    this.subscriptions.set(known.seq, {
      ...rest,
      remark,
      ...(filterPolicies?.length && { filterPolicies }),
    });
    return true;
  }

  deleteSubscription(
    projectId: ProjectId,
    topicName: string,
    id: SubscriptionId,
  ): boolean {
    const known = this.findSubscription(projectId, topicName, id);
    if (!known) return false;
    this.#remove(known);
    return true;
  }

  /** Those of a project that were not deleted, oldest first. */
  #topicsOf(projectId: ProjectId): Topic[] {
    return [...this.#topics.values()].filter(
      (topic) =>
        topic.projectId === projectId && !this.#deletedTopics.has(topic.seq),
    );
  }

  #present(): Subscription[] {
    return [...this.subscriptions.values()].filter((it) => !isDeleted(it));
  }

  #remove(subscription: Subscription): void {
    this.#setStatus(subscription, "deleted");
    for (const [token, { seq }] of this.#tokens) {
      if (seq === subscription.seq) this.#tokens.delete(token);
    }
  }

  #setStatus(
    subscription: Subscription,
    status: keyof typeof subscriptionStatus,
  ): Subscription {
    const changed = { ...subscription, status: subscriptionStatus[status] };
    this.subscriptions.set(changed.seq, changed);
    return changed;
  }

  /** Counts a confirmation; answers false, and counts none, over a limit. */
  #admit(
    subscription: Subscription,
    limits: readonly ConfirmationLimit[],
    now: number,
  ): boolean {
    if (limits.length === 0) return true;
    const key = endpointKey(subscription);
    const known = this.#confirmations.get(key) ?? [];
    const counted = countConfirmation(known, limits, now);
    if (!counted) return false;
    this.#confirmations.set(key, counted);
    return true;
  }

  #keepToken(subscription: Subscription, mail: SubscriberNotice): void {
    this.#tokens.set(mail.token, {
      seq: subscription.seq,
      expiresAt: mail.tokenExpiresAt,
    });
  }
}

function endpointKey(subscription: Subscription): string {
  const { projectId, protocol, endpoint } = subscription;
  return `${projectId} ${protocol} ${endpoint}`;
}

/** Whether a subscription gets what its topic publishes. */
function isActive(subscription: Subscription): boolean {
  return (
    subscription.status === subscriptionStatus.confirmed ||
    subscription.status === subscriptionStatus.confirmationNotNeeded
  );
}

function isDeleted(subscription: Subscription): boolean {
  return subscription.status === subscriptionStatus.deleted;
}
