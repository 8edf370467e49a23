/**
 * What owners do with subscriptions, and what subscribers do through the links
 * they were sent. A subscription and the message that asks to confirm it are
 * written in one transaction: a crash leaves both or neither.
 */

import { CarillonError } from "../errors.ts";
import { parseFilterPolicies } from "../filter-policy.ts";
import type { MessageId, NewId, ProjectId, SubscriptionId } from "../ids.ts";
import type { NewMessage } from "../message.ts";
import type { Clock } from "../ports/clock.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Page, PageRequest } from "../ports/page.ts";
import type {
  SubscriptionChange,
  SubscriptionFilter,
  SubscriptionStore,
  TokenMail,
} from "../ports/subscription-store.ts";
import { checkEndpoint, checkProtocol, type Protocol } from "../protocol.ts";
import {
  checkExtension,
  checkRemark,
  confirmationLifetimeMs,
  defaultSubscriptionsPerTopic,
  type Subscription,
  subscriptionStatus,
} from "../subscription.ts";
import type { Topic } from "../topic.ts";
import { formatSubscriptionUrn, parseSubscriptionUrn } from "../urn.ts";
import type { Topics } from "./topics.ts";

export interface SubscriptionsOptions {
  /** Subscriptions a topic may have. */
  readonly quota?: number;
}

/** A subscription as the owner asks for it; unchecked. */
export interface SubscribeRequest {
  readonly protocol: unknown;
  readonly endpoint: unknown;
  readonly remark?: unknown;
  readonly extension?: unknown;
}

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
  ): Promise<{ subscription: Subscription; created: boolean }>;
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
    policies: unknown,
  ): Promise<void>;
  /**
   * The owner's removal.
   *
   * @throws CarillonError SUBSCRIPTION_URN_INVALID, SUBSCRIPTION_NOT_FOUND
   */
  remove(projectId: ProjectId, urn: string): Promise<void>;
  /**
   * The subscriber's yes.
   *
   * @throws CarillonError CONFIRMATION_TOKEN_INVALID
   */
  confirm(token: string): Promise<Subscription>;
  /**
   * The subscriber's no; a farewell with a link back is sent.
   *
   * @throws CarillonError SUBSCRIPTION_URN_INVALID, SUBSCRIPTION_NOT_FOUND
   */
  unsubscribe(urn: string): Promise<Subscription>;
  urnOf(
    subscription: Pick<Subscription, "projectId" | "topicName" | "id">,
  ): string;
}

export interface SubscriptionsPorts {
  readonly store: SubscriptionStore;
  readonly topics: Topics;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly newMessageId: NewId;
  /** Whether a try of this protocol costs money. */
  readonly isCareful: (protocol: Protocol) => boolean;
  /** Makes a secret of at least 128 bits, hexadecimal. */
  readonly newToken: () => string;
  /**
   * Refuses endpoints in networks that may not be reached.
   *
   * @throws CarillonError ENDPOINT_FORBIDDEN
   */
  readonly vetEndpoint: (url: string) => Promise<void>;
}

export function createSubscriptions(
  ports: SubscriptionsPorts,
  options: SubscriptionsOptions = {},
): Subscriptions {
  const { store, topics, dispatcher, clock, vetEndpoint } = ports;
  const { quota = defaultSubscriptionsPerTopic } = options;

  function tokenMail(
    kind: "confirmation" | "unsubscription",
    topic: Pick<Topic, "projectId" | "name"> & Partial<Topic>,
    topicSeq: number,
    protocol: Protocol,
  ): TokenMail {
    const now = clock.now();
    const token = ports.newToken();
    const message: NewMessage = {
      id: ports.newMessageId() as MessageId,
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
      expiresAt: now + confirmationLifetimeMs,
    };
    return {
      token,
      tokenExpiresAt: now + confirmationLifetimeMs,
      message,
      careful: ports.isCareful(protocol),
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

  return {
    async subscribe(projectId, topicUrn, request) {
      const topic = await topics.get(projectId, topicUrn);
      const protocol = checkProtocol(request.protocol);
      const endpoint = checkEndpoint(protocol, request.endpoint);
      const remark = checkRemark(request.remark);
      const extension = checkExtension(protocol, request.extension);
      if (protocol === "http" || protocol === "https") {
        await vetEndpoint(endpoint);
      }
      const result = await store.addSubscription(
        {
          id: ports.newId() as SubscriptionId,
          topicSeq: topic.seq,
          projectId,
          protocol,
          endpoint,
          remark,
          extension,
          status: subscriptionStatus.unconfirmed,
          createdAt: clock.now(),
        },
        tokenMail("confirmation", topic, topic.seq, protocol),
        quota,
      );
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
          policies === undefined ? [] : parseFilterPolicies(policies),
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
    async confirm(token) {
      const subscription = await store.confirmSubscription(token, clock.now());
      if (subscription) return subscription;
      throw new CarillonError(
        "CONFIRMATION_TOKEN_INVALID",
        "The confirmation token is unknown or expired: ask for a new confirmation message by subscribing again.",
      );
    },
    async unsubscribe(text) {
      const urn = parseUrn(text);
      const known = await store.findSubscription(
        urn.projectId,
        urn.topicName,
        urn.subscriptionId,
      );
      if (!known) throw subscriptionNotFound();
      const subscription = await store.cancelSubscription(known.id, (found) =>
        tokenMail(
          "unsubscription",
          { projectId: found.projectId, name: found.topicName },
          found.topicSeq,
          found.protocol,
        ),
      );
      if (!subscription) throw subscriptionNotFound();
      dispatcher.announce({ kind: "due", at: clock.now() });
      return subscription;
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

function subscriptionNotFound(): CarillonError {
  return new CarillonError("SUBSCRIPTION_NOT_FOUND", "Subscription not found.");
}
