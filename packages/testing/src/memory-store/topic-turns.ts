/** Messages to several topics in the in-memory store: turns, and who is who. */

import {
  type AudienceRange,
  type EpochMs,
  handedOverPosition,
  type OtherSubscription,
  type Subscription,
} from "@carillon/core";
import { isActive, isDeleted, listActive } from "./directory.ts";
import { addRange, getMessage } from "./ledger.ts";
import { deliveryKey, rangeKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

/** The first topic behind a place that has anybody to send to, or to tell. */
export function findTurn(
  tables: Tables,
  messageSeq: number,
  after: number,
  { orCancelled }: { readonly orCancelled: boolean },
): { topicPosition: number; topicSeq: number; audience: number } | undefined {
  const { topics = [] } = getMessage(tables, messageSeq);
  if (tables.cancelledMessages.has(messageSeq)) return undefined;
  for (const [topicPosition, { seq: topicSeq }] of topics.entries()) {
    if (topicPosition <= after) continue;
    const last = tables.deletedTopics.get(topicSeq);
    const active = listActive(tables, topicSeq).length;
    const audience = last && orCancelled ? last.targets.length : active;
    if (audience > 0) return { topicPosition, topicSeq, audience };
  }
  return undefined;
}

/** A range was ended: how many recipients the next topic's has, if it is due. */
export function advanceTurn(
  tables: Tables,
  { messageSeq, topicSeq, topicPosition }: AudienceRange,
  now: EpochMs,
): number | undefined {
  if (topicPosition === undefined) return undefined;
  const isOpen = tables.ranges
    .list()
    .some(
      (row) =>
        row.messageSeq === messageSeq &&
        row.topicSeq === topicSeq &&
        row.topicPosition === topicPosition,
    );
  if (isOpen) return undefined;
  const next = findTurn(tables, messageSeq, topicPosition, {
    orCancelled: true,
  });
  if (!next) return undefined;
  const { audience, ...turn } = next;
  addRange(tables, {
    ...turn,
    messageSeq,
    afterTarget: 0,
    uptoTarget: undefined,
    dueAt: now,
  });
  return audience;
}

/** What a subscriber has in the message's other topics. */
export function listOthers(
  tables: Tables,
  { messageSeq, topicPosition = 0 }: AudienceRange,
  own: Pick<Subscription, "seq" | "protocol" | "endpoint">,
): OtherSubscription[] {
  return subscriptionsOf(tables, messageSeq, own).flatMap(
    ({ position, subscription }) => {
      const target = subscription.seq;
      const key = deliveryKey({ messageSeq, target });
      const { state, actions = [] } = tables.deliveries.get(key) ?? {};
      const isWithdrawn =
        state === "cancelled" && actions.some(({ to }) => to === state);
      const active = isActive(subscription);
      if (!active && state === undefined) return [];
      return [
        {
          isLater: position > topicPosition,
          isActive: active,
          ...(subscription.filterPolicies && {
            filterPolicies: subscription.filterPolicies,
          }),
          ...(state && { state }),
          ...(isWithdrawn && { isWithdrawn }),
        },
      ];
    },
  );
}

/** Hands a cancelled delivery over to the subscriber's other subscriptions. */
export function handOver(
  tables: Tables,
  messageSeq: number,
  target: number,
  now: EpochMs,
): void {
  const own = tables.subscriptions.get(target);
  if (!own || getMessage(tables, messageSeq).audience !== "topics") return;
  if (tables.cancelledMessages.has(messageSeq)) return;
  const open = tables.ranges
    .list()
    .filter((row) => row.messageSeq === messageSeq)
    .filter(({ topicPosition = 0 }) => topicPosition < handedOverPosition);
  for (const it of subscriptionsOf(tables, messageSeq, own)) {
    const { position, subscription } = it;
    const { seq, topicSeq } = subscription;
    const isToCome = open.some(
      (row) =>
        (row.topicPosition ?? 0) < position ||
        (row.topicSeq === topicSeq &&
          row.afterTarget < seq &&
          seq <= (row.uptoTarget ?? seq)),
    );
    const key = deliveryKey({ messageSeq, target: seq });
    if (!isActive(subscription) || isToCome) continue;
    if (tables.deliveries.has(key)) continue;
    const range = { messageSeq, topicSeq, afterTarget: seq - 1 };
    if (tables.ranges.has(rangeKey(range))) continue;
    addRange(tables, {
      ...range,
      topicPosition: handedOverPosition,
      uptoTarget: seq,
      dueAt: now,
    });
  }
}

/** The same subscriber's subscriptions to the message's other topics, in order. */
function subscriptionsOf(
  tables: Tables,
  messageSeq: number,
  {
    seq,
    protocol,
    endpoint,
  }: Pick<Subscription, "seq" | "protocol" | "endpoint">,
): { position: number; subscription: Subscription }[] {
  const { topics = [] } = getMessage(tables, messageSeq);
  return tables.subscriptions
    .list()
    .filter((it) => it.protocol === protocol && it.endpoint === endpoint)
    .filter((it) => it.seq !== seq && !isDeleted(it))
    .map((subscription) => ({
      position: topics.findIndex((it) => it.seq === subscription.topicSeq),
      subscription,
    }))
    .filter(({ position }) => position >= 0)
    .sort((a, b) => a.position - b.position);
}
