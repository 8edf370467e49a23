import type { ProjectId, SubscriptionId } from "../ids.ts";
import type { MessageLives } from "../messages/default-life.ts";
import type { NewMessage } from "../messages/message.ts";
import type { NewMailbox } from "../pull/mailbox.ts";
import type { ConfirmationLimit } from "../subscriptions/confirmation-limits.ts";
import type { FilterPolicy } from "../subscriptions/filter-policy.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { SubscriptionSignature } from "../subscriptions/signature.ts";
import type {
  Subscription,
  SubscriptionExtension,
  SubscriptionStatus,
} from "../subscriptions/subscription.ts";
import type { WrongCodeKeys } from "../subscriptions/verification-code.ts";
import type { EpochMs } from "../time.ts";
import type { Page, PageRequest } from "./page.ts";
import type { ClaimedNotice, Lease } from "./work-store.ts";

export interface SubscriptionReader {
  /** Deleted ones are not found. */
  findSubscription(
    projectId: ProjectId,
    topicName: string,
    id: SubscriptionId,
  ): Promise<Subscription | undefined>;
  /** Those of a topic that are not deleted, confirmed or not. */
  countSubscriptions(topicSeq: number): Promise<number>;
  /** Oldest first; deleted ones are left out. */
  listSubscriptions(
    projectId: ProjectId,
    filter: SubscriptionFilter,
    page: PageRequest,
  ): Promise<Page<Subscription>>;
}

/** Which subscriptions are asked for. What is absent does not filter. */
export interface SubscriptionFilter {
  readonly topicSeq?: number;
  readonly protocol?: string;
  /** One of these. */
  readonly protocols?: readonly string[];
  readonly status?: number;
  readonly endpoint?: string;
  /** Substring of the remark. */
  readonly fuzzyRemark?: string;
}

/** A subscription before the store gave it a number. */
export interface NewSubscription {
  readonly id: SubscriptionId;
  readonly topicSeq: number;
  readonly projectId: ProjectId;
  readonly protocol: Protocol;
  readonly endpoint: string;
  readonly remark: string;
  readonly extension: SubscriptionExtension;
  readonly status: SubscriptionStatus;
  /** Absent: as SMN does. */
  readonly signature?: SubscriptionSignature;
  readonly createdAt: EpochMs;
  /**
   * Of a pull protocol: the mailbox of its endpoint, which is made with these
   * settings if the project has none of that name.
   */
  readonly mailbox?: NewMailbox;
  /**
   * The topic's newest message, if there is one and it still lives, is put into the
   * mailbox in the same transaction. Its life is reckoned by these.
   */
  readonly withLatest?: MessageLives;
}

/** What its owner changes of a subscription; the rest stays. */
export interface SubscriptionChange {
  readonly remark?: string;
  /** All of them anew; an empty list removes them. */
  readonly filterPolicies?: readonly FilterPolicy[];
}

/**
 * A message to one subscription, with a link or a code by which it is
 * confirmed. The store adds the content: see `noticeContent`.
 */
export interface SubscriberNotice {
  readonly kind: "confirmation" | "unsubscription";
  /** Of link or code. */
  readonly expiresAt: EpochMs;
  /** Whether a confirmation has a code in place of a link. */
  readonly byCode?: true;
  readonly message: Omit<NewMessage, "content">;
  /** True when an attempt costs money: a lost one is not repeated. Default false. */
  readonly billable?: boolean;
  /**
   * How often the project may have the endpoint asked to confirm; default any
   * number of times. Counts outlive a restart.
   */
  readonly limits?: readonly ConfirmationLimit[];
}

/** What came of adding a subscription. */
export interface AddedSubscription {
  readonly subscription: Subscription;
  readonly created: boolean;
  /** Set when the endpoint was asked too often to be asked again now. */
  readonly throttled?: true;
  /** The confirmation that was claimed with it. */
  readonly claimed?: ClaimedNotice;
}

/** Keeps subscriptions, and how often they were asked to confirm. */
export interface SubscriptionStore extends SubscriptionReader {
  /**
   * Adds a subscription together with its confirmation message, in one
   * transaction. When topic, protocol and endpoint are there already, answers
   * that one; if it is unconfirmed the confirmation is queued for it again; if
   * its subscriber had cancelled it, it is unconfirmed again. A code that is
   * sent ends the one before it. Over the limits
   * of the confirmation all is the same, except that none is sent: then
   * `throttled` is set.
   *
   * @param lease claims the confirmation's delivery in the same transaction, so
   * that nobody else takes it up; absent: it is due
   *
   * @throws CarillonError SUBSCRIPTION_QUOTA_EXCEEDED, TOPIC_NOT_FOUND (the
   * topic went away in between)
   */
  addSubscription(
    subscription: NewSubscription,
    confirmation: SubscriberNotice | undefined,
    quota: number,
    lease?: Lease,
  ): Promise<AddedSubscription>;
  /**
   * Marks a subscription confirmed, and counts the project's confirmations to
   * the endpoint anew. Twice is fine. `undefined`, and nothing changes, when
   * there is none, its subscriber left since that generation, or
   * {@link mayTryCode} says no to the counters of a code.
   */
  confirmSubscription(
    id: SubscriptionId,
    generation: number,
    wrongCodes?: WrongCodeKeys,
  ): Promise<Subscription | undefined>;
  /**
   * The subscriber's own unsubscribe notice: status 3, the next generation, and
   * a message with a link back, if there is one. Answers the subscription;
   * `undefined`, and nothing changes, when there is none, or
   * {@link isUnsubscribable} says no to the generation. A second call changes
   * nothing and sends no second message.
   *
   * @param generation of the link; absent: whichever it is in
   */
  cancelSubscription(
    id: SubscriptionId,
    unsubscribeNotice: (
      subscription: Subscription,
    ) => SubscriberNotice | undefined,
    generation?: number,
  ): Promise<Subscription | undefined>;
  /** Answers false when there is no such one. */
  updateSubscription(
    projectId: ProjectId,
    topicName: string,
    id: SubscriptionId,
    change: SubscriptionChange,
  ): Promise<boolean>;
  /**
   * Sets a subscription's signature if it is still the expected one
   * (`undefined`: it has none of its own). Answers whether it did.
   */
  replaceSignature(
    id: SubscriptionId,
    expected: SubscriptionSignature | undefined,
    next: SubscriptionSignature,
  ): Promise<boolean>;
  /**
   * The owner's removal. What waits in a mailbox for it is cancelled by
   * `MessageQueueStore.cancelWithdrawn`. Answers false when there is no such one.
   */
  deleteSubscription(
    projectId: ProjectId,
    topicName: string,
    id: SubscriptionId,
    at: EpochMs,
  ): Promise<boolean>;
  findSubscriptionById(id: SubscriptionId): Promise<Subscription | undefined>;
}
