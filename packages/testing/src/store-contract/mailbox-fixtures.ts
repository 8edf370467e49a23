/** Mailboxes, and what is in them, for the cases of a contract. */

import assert from "node:assert/strict";
import {
  type FinishReport,
  type LeaseRequest,
  type MailboxId,
  type MessageLease,
  type NewMailbox,
  type NewMessage,
  type NewSubscription,
  type RangeOutcome,
  type Store,
  type Subscription,
  subscriptionStatus,
  type Topic,
} from "@carillon/core";
import {
  addSubscription,
  after,
  freshId,
  leaseOf,
  messageTo,
  projectId,
  start,
} from "./fixtures.ts";

/** How often a message is handed out in these tests, unless they say. */
export const maxDeliveries = 10;

export function newMailbox(mailbox: Partial<NewMailbox> = {}): NewMailbox {
  const id = freshId<MailboxId>();
  return {
    id,
    projectId,
    name: `mailbox-${id.slice(-8)}`,
    quota: 100,
    legacyConfirm: "auto",
    createdAt: start,
    ...mailbox,
  };
}

/** A subscription that fills a mailbox. */
export type PullSubscription = Subscription &
  Required<Pick<Subscription, "mailbox">>;

/** Subscribes a mailbox, which is made if there is none of that name. */
export async function subscribeMailbox(
  store: Store,
  topic: Topic,
  mailbox: Partial<NewMailbox> = {},
  subscription: Partial<NewSubscription> = {},
): Promise<PullSubscription> {
  const made = newMailbox(mailbox);
  const added = await addSubscription(store, topic, {
    protocol: "pull",
    endpoint: made.name,
    status: subscriptionStatus.confirmationNotNeeded,
    mailbox: made,
    ...subscription,
  });
  const { mailbox: seq } = added;
  assert.ok(seq !== undefined, "it has no mailbox");
  return { ...added, mailbox: seq };
}

interface ToFetch {
  readonly lifeMs?: number;
  readonly orderingKey?: string;
}

/** A delivery as fan-out leaves it for a subscriber. */
export function toFetch(
  messageSeq: number,
  { seq: target, mailbox }: Pick<PullSubscription, "seq" | "mailbox">,
  { lifeMs = 3_600_000, orderingKey }: ToFetch = {},
): RangeOutcome {
  return {
    messageSeq,
    target,
    state: "waiting",
    attempts: 0,
    pull: {
      mailbox,
      expiresAt: after(lifeMs),
      ...(orderingKey !== undefined && { orderingKey }),
    },
  };
}

/** A message that is fanned out to mailboxes. */
export async function publishTo(
  store: Store,
  topic: Topic,
  subscriptions: readonly PullSubscription[],
  options: ToFetch & { readonly message?: NewMessage } = {},
): Promise<{ message: NewMessage; seq: number; report: FinishReport }> {
  const { orderingKey } = options;
  const {
    message = messageTo(
      topic,
      orderingKey === undefined ? {} : { orderingKey },
    ),
  } = options;
  const { seq, range } = await store.acceptMessage(message, leaseOf("fan-out"));
  assert.ok(range, "the topic has nobody to send to");
  const outcomes = subscriptions.map((it) => toFetch(seq, it, options));
  return { message, seq, report: await store.finish({ range, outcomes }) };
}

/** Leases messages of one mailbox at so many milliseconds after the start. */
export async function lease(
  store: Store,
  mailbox: number,
  {
    limit = 100,
    leaseMs = 60_000,
    atMs = 0,
    max = maxDeliveries,
    ...request
  }: Partial<LeaseRequest> & {
    readonly atMs?: number;
    readonly max?: number;
  } = {},
): Promise<readonly MessageLease[]> {
  const [leases] = await store.leaseMessages(
    [{ mailbox, limit, leaseMs, ...request }],
    after(atMs),
    max,
  );
  assert.ok(leases);
  return leases;
}

/** Cancels all that waits, or is, where something was deleted. */
export async function cancelWithdrawn(store: Store, atMs = 0): Promise<void> {
  while (await store.cancelWithdrawn(after(atMs), 100));
}

export function seqsOf(leases: readonly MessageLease[]): number[] {
  return leases.map(({ messageSeq }) => messageSeq);
}
