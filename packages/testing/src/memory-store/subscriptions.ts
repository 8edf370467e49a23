/** Subscriptions of the in-memory store, and their confirmations. */

import { isDeepStrictEqual } from "node:util";
import type { EpochMs } from "@carillon/core";
import {
  CarillonError,
  type ConfirmationLimit,
  countConfirmation,
  isUnsubscribable,
  mayTryCode,
  noticeContent,
  noticeUrgency,
  type ProjectId,
  type SubscriberNotice,
  type Subscription,
  type SubscriptionId,
  type SubscriptionStore,
  subscriptionStatus,
  toCounter,
  toRecipient,
  type WrongCodeKeys,
} from "@carillon/core";
import { counterKey } from "./counters.ts";
import { claim } from "./deliveries.ts";
import {
  endSubscription,
  hasTopic,
  isActive,
  listPresent,
  setStatus,
} from "./directory.ts";
import type { Holds } from "./holds.ts";
import { addLatest } from "./latest-message.ts";
import { addDueDelivery, addMessage, getMessage } from "./ledger.ts";
import { cutPage, equals, seqOfMarker } from "./lists.ts";
import { findOrInsertMailbox } from "./mailboxes.ts";
import type { DeliveryRow } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createSubscriptionStore(
  tables: Tables,
  holds: Holds,
): SubscriptionStore {
  const { subscriptions, confirmations, counters, write } = tables;

  function mayTry({ sender, all }: WrongCodeKeys): boolean {
    const [ofSender, ofAll] = [sender, all].map((key) =>
      toCounter(counters.get(counterKey("wrong_code", key)), holds.now()),
    );
    return mayTryCode(ofSender, ofAll);
  }

  return {
    async findSubscription(...key) {
      return findSubscription(tables, ...key);
    },
    async findSubscriptionById(id) {
      return listPresent(tables).find((it) => it.id === id);
    },
    async countSubscriptions(topicSeq) {
      return listPresent(tables).filter((it) => it.topicSeq === topicSeq)
        .length;
    },
    async listSubscriptions(projectId, filter, page) {
      const { fuzzyRemark = "", protocols, ...exact } = filter;
      const matching = listPresent(tables).filter(
        (subscription) =>
          subscription.projectId === projectId &&
          equals(subscription, exact) &&
          (protocols?.includes(subscription.protocol) ?? true) &&
          subscription.remark.includes(fuzzyRemark),
      );
      const last = seqOfMarker(subscriptions.list(), projectId, page);
      return cutPage(matching, page, (it) => it.seq > last);
    },
    addSubscription: (subscription, confirmation, quota, lease) =>
      write(() => {
        const { mailbox, withLatest, ...own } = subscription;
        const { topicSeq, protocol, endpoint, createdAt } = own;
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
              ...own,
              seq,
              topicName: topic.name,
              generation: 0,
              ...(mailbox && {
                mailbox: findOrInsertMailbox(tables, mailbox).seq,
              }),
            });
        if (withLatest && (isBack || !known)) {
          addLatest(tables, kept, withLatest, holds.now());
        }
        const answer = { subscription: kept, created: !known };
        if (!confirmation || kept.status !== subscriptionStatus.unconfirmed) {
          return answer;
        }
        const { limits = [] } = confirmation;
        if (!admit(tables, kept, limits, createdAt)) {
          return { ...answer, throttled: true };
        }
        const notified = notify(tables, kept, confirmation);
        const { subscription: changed, delivery } = notified;
        const claimed = lease && {
          message: getMessage(tables, delivery.messageSeq),
          delivery: claim(
            tables,
            delivery,
            toRecipient(changed),
            holds.grant(lease),
          ),
        };
        return {
          ...answer,
          subscription: changed,
          ...(claimed && { claimed }),
        };
      }),
    confirmSubscription: (id, generation, wrongCodes) =>
      write(() => {
        const subscription = listPresent(tables).find((it) => it.id === id);
        if (subscription?.generation !== generation) return undefined;
        if (wrongCodes && !mayTry(wrongCodes)) return undefined;
        confirmations.delete(endpointKey(subscription));
        if (isActive(subscription)) return subscription;
        tell(tables, "subscription.confirmed", subscription, holds.now());
        return setStatus(tables, subscription, "confirmed");
      }),
    cancelSubscription: (id, unsubscribeNotice, generation) =>
      write(() => {
        const known = listPresent(tables).find((it) => it.id === id);
        if (!known) return undefined;
        if (
          generation !== undefined &&
          !isUnsubscribable(known, { generation })
        ) {
          return undefined;
        }
        if (known.status === subscriptionStatus.cancelled) return known;
        const { codeExpiresAt: _, ...rest } = known;
        const left = subscriptions.put(known.seq, {
          ...rest,
          status: subscriptionStatus.cancelled,
          generation: known.generation + 1,
        });
        tell(tables, "subscription.cancelled", left, holds.now());
        const notice = unsubscribeNotice(known);
        return notice ? notify(tables, left, notice).subscription : left;
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
    replaceSignature: (id, expected, next) =>
      write(() => {
        const known = listPresent(tables).find((it) => it.id === id);
        if (!known || !isDeepStrictEqual(known.signature, expected)) {
          return false;
        }
        subscriptions.put(known.seq, { ...known, signature: next });
        return true;
      }),
    deleteSubscription: (projectId, topicName, id) =>
      write(() => {
        const known = findSubscription(tables, projectId, topicName, id);
        if (!known) return false;
        endSubscription(tables, known);
        return true;
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

function tell(
  { journal }: Tables,
  type: "subscription.confirmed" | "subscription.cancelled",
  { projectId, topicName, id, protocol, endpoint }: Subscription,
  at: EpochMs,
): void {
  const about = { topicName, subscriptionId: id, protocol, endpoint };
  journal.note({ kind: "occurrence", type, projectId, about }, at);
}

/** Queues a message to a subscription, with what its link is made from. */
function notify(
  tables: Tables,
  subscription: Subscription,
  notice: SubscriberNotice,
): { subscription: Subscription; delivery: DeliveryRow } {
  const { seq } = subscription;
  const { message, billable = false } = notice;
  const content = noticeContent(notice, subscription);
  const messageSeq = addMessage(tables, { ...message, content });
  const delivery = addDueDelivery(
    tables,
    messageSeq,
    seq,
    message.createdAt,
    billable,
    { urgency: noticeUrgency },
  );
  if (!("byCode" in content)) return { subscription, delivery };
  const codeExpiresAt = notice.expiresAt;
  const changed = { ...subscription, codeExpiresAt };
  return { subscription: tables.subscriptions.put(seq, changed), delivery };
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
