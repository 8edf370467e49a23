/**
 * What owners do with subscriptions, and what subscribers do through the links
 * they were sent. A subscription and the message that asks to confirm it are
 * written in one transaction: a crash leaves both or neither.
 */

import { CarillonError } from "../errors.ts";
import { eventTopicName } from "../events/event-topic.ts";
import type { MessageId, NewId, ProjectId, SubscriptionId } from "../ids.ts";
import { networkOf } from "../ip-range.ts";
import type { NewMessage } from "../messages/message.ts";
import type { Clock } from "../ports/clock.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Logger } from "../ports/logger.ts";
import type { Page, PageRequest } from "../ports/page.ts";
import type {
  SubscriberNotice,
  SubscriptionChange,
  SubscriptionFilter,
  SubscriptionStore,
} from "../ports/subscription-store.ts";
import { addMs } from "../time.ts";
import type { Topic } from "../topics/topic.ts";
import type { Topics } from "../topics/topics.ts";
import {
  formatSubscriptionUrn,
  parseSubscriptionUrn,
  parseTopicUrn,
} from "../urn.ts";
import {
  type ConfirmationLimits,
  defaultConfirmationLimits,
} from "./confirmation-limits.ts";
import {
  checkFilterPolicies,
  type FilterPolicyRequest,
} from "./filter-policy.ts";
import { checkEndpoint, checkProtocol, type Protocol } from "./protocol.ts";
import {
  checkExtension,
  checkRemark,
  confirmationLifetimeMs,
  defaultSubscriptionsPerTopic,
  type ExtensionRequest,
  type Subscription,
  subscriptionStatus,
} from "./subscription.ts";
import {
  CodeGuard,
  toCodeToken,
  verificationCodeOf,
  verificationCodePattern,
} from "./verification-code.ts";

export interface SubscriptionsOptions {
  /** Subscriptions a topic may have. */
  readonly quota?: () => number;
  /** How often an endpoint is asked to confirm; default SMN's figures. */
  readonly confirmationLimits?: () => ConfirmationLimits;
}

/** A subscription as the owner asks for it; unchecked. */
export interface SubscribeRequest {
  readonly protocol: unknown;
  readonly endpoint: unknown;
  readonly remark?: unknown;
  readonly extension?: ExtensionRequest | undefined;
}

/** What a verification code is for, and who sends it. */
export interface CodeTarget {
  readonly topicUrn: string;
  readonly endpoint: string;
  /** The sender's IP address: wrong codes are counted for each network. */
  readonly sender: string;
}

/**
 * Subscribes endpoints to topics, confirms, changes, lists and removes them.
 */
export interface Subscriptions {
  /**
   * Subscribes an endpoint and sends it a confirmation message. The same
   * endpoint twice answers the subscription that is there.
   *
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND,
   * PROTOCOL_INVALID, ENDPOINT_INVALID, ENDPOINT_FORBIDDEN, REMARK_INVALID,
   * SUBSCRIPTION_INVALID, SUBSCRIPTION_QUOTA_EXCEEDED
   */
  subscribe(
    projectId: ProjectId,
    topicUrn: string,
    request: SubscribeRequest,
  ): Promise<{
    subscription: Subscription;
    created: boolean;
    /** Set when the endpoint was asked too often to be asked again now. */
    throttled?: true;
  }>;
  list(
    projectId: ProjectId,
    filter: SubscriptionFilter,
    page: PageRequest,
  ): Promise<Page<Subscription>>;
  /** @throws CarillonError SUBSCRIPTION_URN_INVALID, SUBSCRIPTION_NOT_FOUND */
  get(projectId: ProjectId, urn: string): Promise<Subscription>;
  /**
   * @throws CarillonError REMARK_INVALID, SUBSCRIPTION_URN_INVALID,
   * SUBSCRIPTION_NOT_FOUND
   */
  setRemark(projectId: ProjectId, urn: string, remark: unknown): Promise<void>;
  /**
   * Sets the filter policies of a subscription in place of those it has; takes
   * them as they come on the wire. `undefined` removes them.
   *
   * @throws CarillonError FILTER_POLICY_INVALID, SUBSCRIPTION_URN_INVALID,
   * SUBSCRIPTION_NOT_FOUND
   */
  setFilterPolicies(
    projectId: ProjectId,
    urn: string,
    policies: readonly FilterPolicyRequest[] | undefined,
  ): Promise<void>;
  /**
   * The owner's removal.
   *
   * @throws CarillonError SUBSCRIPTION_URN_INVALID, SUBSCRIPTION_NOT_FOUND
   */
  remove(projectId: ProjectId, urn: string): Promise<void>;
  /**
   * The subscription that the token of a link would confirm.
   *
   * @throws CarillonError CONFIRMATION_TOKEN_INVALID
   */
  findByToken(token: string): Promise<Subscription>;
  /** @throws CarillonError SUBSCRIPTION_NOT_FOUND */
  findById(id: SubscriptionId): Promise<Subscription>;
  /**
   * The subscriber's yes: the token of a link, or the code of a text message
   * with what it is for.
   *
   * @throws CarillonError CONFIRMATION_TOKEN_INVALID
   */
  confirm(token: string, where?: CodeTarget): Promise<Subscription>;
  /**
   * The subscriber's no; an unsubscribe notice with a link back is sent.
   *
   * @throws CarillonError SUBSCRIPTION_NOT_FOUND
   */
  unsubscribe(id: SubscriptionId): Promise<Subscription>;
  /**
   * The same by the URN, as SMN's links have it.
   *
   * @throws CarillonError SUBSCRIPTION_URN_INVALID, SUBSCRIPTION_NOT_FOUND
   */
  unsubscribeUrn(urn: string): Promise<Subscription>;
  urnOf(
    subscription: Pick<Subscription, "projectId" | "topicName" | "id">,
  ): string;
}

export interface SubscriptionsPorts {
  readonly store: SubscriptionStore;
  readonly topics: Topics;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly newId: NewId<SubscriptionId>;
  readonly newMessageId: NewId<MessageId>;
  /** Whether an attempt of this protocol costs money. */
  readonly isBillable: (protocol: Protocol) => boolean;
  /** Makes a secret of at least 128 bits, hexadecimal. */
  readonly newToken: () => string;
  /**
   * Refuses endpoints in networks that may not be reached.
   *
   * @throws CarillonError ENDPOINT_FORBIDDEN
   */
  readonly checkTarget: (url: string) => Promise<void>;
  /** Default: writes nothing. */
  readonly logger?: Logger;
}

/** Builds the operations on subscriptions, for owners and for subscribers. */
export function createSubscriptions(
  ports: SubscriptionsPorts,
  options: SubscriptionsOptions = {},
): Subscriptions {
  const { store, topics, dispatcher, clock, checkTarget } = ports;
  const {
    quota = () => defaultSubscriptionsPerTopic,
    confirmationLimits = () => defaultConfirmationLimits,
  } = options;

  const codes = new CodeGuard();

  function subscriberNotice(
    kind: "confirmation" | "unsubscription",
    topic: Pick<Topic, "projectId" | "name"> & Partial<Topic>,
    topicSeq: number,
    protocol: Protocol,
    token = ports.newToken(),
  ): SubscriberNotice {
    const now = clock.now();
    const message: NewMessage = {
      id: ports.newMessageId(),
      projectId: topic.projectId,
      audience: "subscription",
      topic: {
        seq: topicSeq,
        urn: topics.urnOf(topic),
        name: topic.name,
        displayName: topic.displayName ?? "",
        introduction: topic.introduction ?? "",
      },
      content: { kind, token },
      createdAt: now,
      expiresAt: addMs(now, confirmationLifetimeMs),
      timeToLiveSeconds: confirmationLifetimeMs / 1000,
    };
    return {
      token,
      tokenExpiresAt: addMs(now, confirmationLifetimeMs),
      message,
      billable: ports.isBillable(protocol),
    };
  }

  function parseUrn(urn: string) {
    const parsed = parseSubscriptionUrn(urn);
    if (parsed) return parsed;
    throw new CarillonError(
      "SUBSCRIPTION_URN_INVALID",
      "Invalid subscription URN: {topic_urn}:{32 hexadecimal characters} is expected.",
    );
  }

  /** @throws CarillonError SUBSCRIPTION_URN_INVALID, SUBSCRIPTION_NOT_FOUND */
  function parseOwnUrn(projectId: ProjectId, text: string) {
    const urn = parseUrn(text);
    if (urn.projectId === projectId && urn.region === topics.region) return urn;
    throw subscriptionNotFound();
  }

  async function change(
    projectId: ProjectId,
    text: string,
    changes: SubscriptionChange,
  ): Promise<void> {
    const { topicName, subscriptionId } = parseOwnUrn(projectId, text);
    const found = await store.updateSubscription(
      projectId,
      topicName,
      subscriptionId,
      changes,
    );
    if (!found) throw subscriptionNotFound();
  }

  async function confirmByLink(
    token: string,
  ): Promise<Subscription | undefined> {
    // A code's token is in no link: this would be a way around the guard.
    if (verificationCodeOf(token) !== undefined) return undefined;
    return await store.confirmSubscription(token, clock.now());
  }

  async function confirmByCode(
    code: string,
    where: CodeTarget,
  ): Promise<Subscription | undefined> {
    const { projectId } = parseTopicUrn(where.topicUrn) ?? {};
    if (projectId === undefined) return undefined;
    const topic = await topics
      .get(projectId, where.topicUrn)
      .catch((error: unknown) => {
        // Anybody can call this: do not reveal which topics there are.
        if (error instanceof CarillonError) return undefined;
        throw error;
      });
    if (topic === undefined) return undefined;
    const key = `${topic.seq}@${where.endpoint}`;
    // Only where there is something to guess: what is counted is bounded.
    if (!(await isSubscribed(topic, where.endpoint))) return undefined;
    const sender = networkOf(where.sender);
    if (!codes.take(key, sender, clock.now())) return undefined;
    const subscription = await store.confirmSubscription(
      toCodeToken(code, topic.seq, where.endpoint),
      clock.now(),
    );
    if (subscription) codes.giveBack(key, sender, clock.now());
    return subscription;
  }

  async function isSubscribed(
    { projectId, seq: topicSeq }: Topic,
    endpoint: string,
  ): Promise<boolean> {
    const { total } = await store.listSubscriptions(
      projectId,
      { topicSeq, endpoint },
      { offset: 0, limit: 1 },
    );
    return total > 0;
  }

  async function findById(id: SubscriptionId): Promise<Subscription> {
    const known = await store.findSubscriptionById(id);
    if (!known) throw subscriptionNotFound();
    return known;
  }

  async function unsubscribe(id: SubscriptionId): Promise<Subscription> {
    const subscription = await store.cancelSubscription(id, (found) =>
      subscriberNotice(
        "unsubscription",
        { projectId: found.projectId, name: found.topicName },
        found.topicSeq,
        found.protocol,
      ),
    );
    if (!subscription) throw subscriptionNotFound();
    dispatcher.announce({ kind: "due", at: clock.now() });
    return subscription;
  }

  /** The topic of events is there once somebody subscribes to it. */
  async function getTopic(projectId: ProjectId, urn: string): Promise<Topic> {
    const { topicName } = parseTopicUrn(urn) ?? {};
    if (topicName !== eventTopicName) return await topics.get(projectId, urn);
    // Says what is wrong with the URN, if it is another project's.
    try {
      return await topics.get(projectId, urn);
    } catch (error) {
      const isOwn = urn === topics.urnOf({ projectId, name: eventTopicName });
      if (!isOwn) throw error;
      return (await topics.create(projectId, { name: eventTopicName })).topic;
    }
  }

  /** Six digits, from as many random bits as a token has. */
  function newCode(): string {
    const number = BigInt(`0x${ports.newToken()}`) % 1_000_000n;
    return String(number).padStart(6, "0");
  }

  return {
    async subscribe(projectId, topicUrn, request) {
      const topic = await getTopic(projectId, topicUrn);
      const protocol = checkProtocol(request.protocol);
      const endpoint = checkEndpoint(protocol, request.endpoint);
      const remark = checkRemark(request.remark);
      const extension = checkExtension(protocol, request.extension);
      if (protocol === "http" || protocol === "https") {
        await checkTarget(endpoint);
      }
      const result = await store.addSubscription(
        {
          id: ports.newId(),
          topicSeq: topic.seq,
          projectId,
          protocol,
          endpoint,
          remark,
          extension,
          status: subscriptionStatus.unconfirmed,
          createdAt: clock.now(),
        },
        {
          ...subscriberNotice(
            "confirmation",
            topic,
            topic.seq,
            protocol,
            extension.verificationCodeEnabled
              ? toCodeToken(newCode(), topic.seq, endpoint)
              : ports.newToken(),
          ),
          limits: confirmationLimits()[protocol] ?? [],
        },
        quota(),
      );
      if (result.throttled) {
        ports.logger?.warn("confirmation_throttled", {
          projectId,
          protocol,
          subscriptionId: result.subscription.id,
        });
      }
      // A lost hint (a crash right here) only delays: the sweeper finds the
      // confirmation's due row.
      dispatcher.announce({ kind: "due", at: clock.now() });
      return result;
    },
    list: (projectId, filter, page) =>
      store.listSubscriptions(projectId, filter, page),
    async get(projectId, text) {
      const urn = parseOwnUrn(projectId, text);
      const found = await store.findSubscription(
        projectId,
        urn.topicName,
        urn.subscriptionId,
      );
      if (!found) throw subscriptionNotFound();
      return found;
    },
    setRemark: async (projectId, text, remark) =>
      await change(projectId, text, { remark: checkRemark(remark) }),
    setFilterPolicies: async (projectId, text, policies) =>
      await change(projectId, text, {
        filterPolicies:
          policies === undefined ? [] : checkFilterPolicies(policies),
      }),
    async remove(projectId, text) {
      const urn = parseOwnUrn(projectId, text);
      const found = await store.deleteSubscription(
        projectId,
        urn.topicName,
        urn.subscriptionId,
        clock.now(),
      );
      if (!found) throw subscriptionNotFound();
    },
    async findByToken(token) {
      const known =
        verificationCodeOf(token) === undefined
          ? await store.findSubscriptionOfToken(token, clock.now())
          : undefined;
      if (!known) throw tokenInvalid();
      return known;
    },
    findById,
    async confirm(token, where) {
      const subscription =
        where && verificationCodePattern.test(token)
          ? await confirmByCode(token, where)
          : await confirmByLink(token);
      if (!subscription) throw tokenInvalid();
      return subscription;
    },
    unsubscribe,
    async unsubscribeUrn(text) {
      const urn = parseUrn(text);
      const known = await store.findSubscription(
        urn.projectId,
        urn.topicName,
        urn.subscriptionId,
      );
      if (!known) throw subscriptionNotFound();
      return await unsubscribe(known.id);
    },
    urnOf: (subscription) =>
      formatSubscriptionUrn(
        topics.urnOf({
          projectId: subscription.projectId,
          name: subscription.topicName,
        }),
        subscription.id,
      ),
  };
}

function tokenInvalid(): CarillonError {
  return new CarillonError(
    "CONFIRMATION_TOKEN_INVALID",
    "The confirmation token is unknown or expired: ask for a new confirmation message by subscribing again.",
  );
}

function subscriptionNotFound(): CarillonError {
  return new CarillonError("SUBSCRIPTION_NOT_FOUND", "Subscription not found.");
}
