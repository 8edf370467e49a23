/** Subscriptions of the in-memory store, and their confirmations. */

import type { EpochMs } from "@carillon/core";
import {
  CarillonError,
  type ConfirmationLimit,
  countConfirmation,
  type ProjectId,
  type SubscriberNotice,
  type Subscription,
  type SubscriptionId,
  type SubscriptionStore,
  subscriptionStatus,
} from "@carillon/core";
import {
  endSubscription,
  hasTopic,
  isActive,
  isDeleted,
  listPresent,
  setStatus,
} from "./directory.ts";
import { addDueDelivery, addMessage } from "./ledger.ts";
import { cutPage, equals, seqOfMarker } from "./lists.ts";
import type { Tables } from "./tables.ts";

export function createSubscriptionStore(tables: Tables): SubscriptionStore {
  const { subscriptions, subscriptionTokens, confirmations, write } = tables;
  return {
    async findSubscription(...key) {
      return findSubscription(tables, ...key);
    },
    async findSubscriptionById(id) {
      return listPresent(tables).find((it) => it.id === id);
    },
    async listSubscriptions(projectId, filter, page) {
      const { fuzzyRemark = "", ...exact } = filter;
      const matching = listPresent(tables).filter(
        (subscription) =>
          subscription.projectId === projectId &&
          equals(subscription, exact) &&
          subscription.remark.includes(fuzzyRemark),
      );
      const last = seqOfMarker(subscriptions.list(), projectId, page);
      return cutPage(matching, page, (it) => it.seq > last);
    },
    addSubscription: (subscription, confirmation, quota) =>
      write(() => {
        const { topicSeq, protocol, endpoint, createdAt } = subscription;
        const topic = tables.topics.get(topicSeq);
        if (
          topic?.projectId !== subscription.projectId ||
          !hasTopic(tables, topicSeq)
        ) {
          throw new CarillonError("TOPIC_NOT_FOUND");
        }
        const siblings = listPresent(tables).filter(
          (other) => other.topicSeq === topicSeq,
        );
        const known = siblings.find((it) => equals(it, { protocol, endpoint }));
        if (!known && siblings.length >= quota) {
          throw new CarillonError("SUBSCRIPTION_QUOTA_EXCEEDED");
        }
        const seq = subscriptions.size + 1;
        const isBack = known?.status === subscriptionStatus.cancelled;
        const kept = known
          ? subscriptions.put(known.seq, {
              ...known,
              ...(isBack && { status: subscription.status }),
            })
          : subscriptions.put(seq, {
              ...subscription,
              seq,
              topicName: topic.name,
            });
        const answer = { subscription: kept, created: !known };
        if (!confirmation || kept.status !== subscriptionStatus.unconfirmed) {
          return answer;
        }
        const { limits = [] } = confirmation;
        if (!admit(tables, kept, limits, createdAt)) {
          return { ...answer, throttled: true };
        }
        notify(tables, kept, confirmation);
        return answer;
      }),
    findSubscriptionOfToken: async (token, now) => ofToken(tables, token, now),
    confirmSubscription: (token, now) =>
      write(() => {
        const subscription = ofToken(tables, token, now);
        if (!subscription) return undefined;
        confirmations.delete(endpointKey(subscription));
        if (isActive(subscription)) return subscription;
        tell(tables, "subscription.confirmed", subscription, now);
        return setStatus(tables, subscription, "confirmed");
      }),
    cancelSubscription: (id, unsubscribeNotice) =>
      write(() => {
        const known = listPresent(tables).find((it) => it.id === id);
        if (!known || known.status === subscriptionStatus.cancelled) {
          return known;
        }
        subscriptionTokens.deleteWhere(({ seq }) => seq === known.seq);
        const notice = unsubscribeNotice(known);
        notify(tables, known, notice);
        const { createdAt } = notice.message;
        tell(tables, "subscription.cancelled", known, createdAt);
        return setStatus(tables, known, "cancelled");
      }),
    updateSubscription: (projectId, topicName, id, change) =>
      write(() => {
        const known = findSubscription(tables, projectId, topicName, id);
        if (!known) return false;
        const { filterPolicies: before, ...rest } = known;
        const { remark = known.remark, filterPolicies = before } = change;
        subscriptions.put(known.seq, {
          ...rest,
          remark,
          ...(filterPolicies?.length && { filterPolicies }),
        });
        return true;
      }),
    deleteSubscription: (projectId, topicName, id) =>
      write(() => {
        const known = findSubscription(tables, projectId, topicName, id);
        if (known) endSubscription(tables, known);
        return known !== undefined;
      }),
  };
}

function findSubscription(
  tables: Tables,
  projectId: ProjectId,
  topicName: string,
  id: SubscriptionId,
): Subscription | undefined {
  return listPresent(tables).find((it) =>
    equals(it, { projectId, topicName, id }),
  );
}

/** The subscription of a token that still lives. */
function ofToken(
  { subscriptions, subscriptionTokens }: Tables,
  token: string,
  now: EpochMs,
): Subscription | undefined {
  const known = subscriptionTokens.get(token);
  if (!known || known.expiresAt <= now) return undefined;
  const subscription = subscriptions.get(known.seq);
  return subscription && !isDeleted(subscription) ? subscription : undefined;
}

function tell(
  { journal }: Tables,
  type: "subscription.confirmed" | "subscription.cancelled",
  { projectId, topicName, id, protocol, endpoint }: Subscription,
  at: EpochMs,
): void {
  const about = { topicName, subscriptionId: id, protocol, endpoint };
  journal.note({ kind: "occurrence", type, projectId, about }, at);
}

/** Queues a message to a subscription and keeps the token that is in it. */
function notify(
  tables: Tables,
  { seq }: Subscription,
  { token, tokenExpiresAt, message, billable = false }: SubscriberNotice,
): void {
  tables.subscriptionTokens.put(token, { seq, expiresAt: tokenExpiresAt });
  const messageSeq = addMessage(tables, message);
  addDueDelivery(tables, messageSeq, seq, message.createdAt, billable);
}

/** Counts a confirmation; answers false, and counts none, over a limit. */
function admit(
  { confirmations }: Tables,
  subscription: Subscription,
  limits: readonly ConfirmationLimit[],
  now: EpochMs,
): boolean {
  if (limits.length === 0) return true;
  const key = endpointKey(subscription);
  const known = confirmations.get(key)?.windows ?? [];
  const windows = countConfirmation(known, limits, now);
  if (windows) confirmations.put(key, { windows });
  return windows !== undefined;
}

function endpointKey({ projectId, protocol, endpoint }: Subscription): string {
  return `${projectId} ${protocol} ${endpoint}`;
}
