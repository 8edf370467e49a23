/**
 * What owners do with subscriptions, and what subscribers do through the links
 * they were sent. A subscription and the message that asks to confirm it are
 * written in one transaction: a crash leaves both or neither.
 */

import type { NoticeIntake } from "../engine/due-deliveries.ts";
import { CarillonError } from "../errors.ts";
import { eventTopicName } from "../events/event-topic.ts";
import type {
  MailboxId,
  MessageId,
  NewId,
  ProjectId,
  SubscriptionId,
} from "../ids.ts";
import { networkOf } from "../ip-range.ts";
import { defaultLivesOf, type MessageLives } from "../messages/default-life.ts";
import type { ChannelKind } from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { CounterStore, KeyedHash } from "../ports/counter-store.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Logger } from "../ports/logger.ts";
import type { Page, PageRequest } from "../ports/page.ts";
import type {
  AddedSubscription,
  NewSubscription,
  SubscriberNotice,
  SubscriptionChange,
  SubscriptionFilter,
  SubscriptionStore,
} from "../ports/subscription-store.ts";
import type { NewMailbox } from "../pull/mailbox.ts";
import { defaultPullSettings } from "../pull/mailboxes.ts";
import { addMs } from "../time.ts";
import type { Topic } from "../topics/topic.ts";
import type { Topics } from "../topics/topics.ts";
import {
  formatSubscriptionUrn,
  parseSubscriptionUrn,
  parseTopicUrn,
} from "../urn.ts";
import {
  checkFilterPolicies,
  type FilterPolicyRequest,
} from "./filter-policy.ts";
import {
  checkEndpoint,
  checkExtension,
  type Protocol,
  type ProtocolDefinition,
  type Protocols,
} from "./protocol.ts";
import {
  type RotationRequest,
  rotateSignatureKey,
  type SignatureRequest,
  type SubscriptionSignature,
  setSignature,
  smnSignature,
} from "./signature.ts";
import {
  checkRemark,
  confirmationLifetimeMs,
  defaultSubscriptionsPerTopic,
  type ExtensionRequest,
  type Subscription,
  subscriptionStatus,
} from "./subscription.ts";
import {
  type ConfirmationGrant,
  isUnsubscribable,
  type SubscriptionTokens,
} from "./subscription-tokens.ts";
import { CodeGuard, verificationCodePattern } from "./verification-code.ts";

export interface SubscriptionsOptions {
  /** Subscriptions a topic may have. */
  readonly quota?: () => number;
  /**
   * Whether the limits hold that protocols set to how often an endpoint is asked
   * to confirm. Default: they do.
   */
  readonly limitConfirmations?: () => boolean;
  /** Of mailboxes that subscriptions make. Default: see `defaultPullSettings`. */
  readonly mailboxQuota?: () => number;
}

/** A subscription as the owner asks for it; unchecked. */
export interface SubscribeRequest {
  readonly protocol: unknown;
  readonly endpoint: unknown;
  readonly remark?: unknown;
  readonly extension?: ExtensionRequest | undefined;
  /** It came over SMN's API, which has SMN's protocols only. */
  readonly overSmn?: boolean;
  /** Absent: as SMN does. Of a subscription that is there it changes nothing. */
  readonly signature?: SignatureRequest | undefined;
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
   * SUBSCRIPTION_INVALID, SIGNATURE_INVALID, SUBSCRIPTION_QUOTA_EXCEEDED
   */
  subscribe(
    projectId: ProjectId,
    topicUrn: string,
    request: SubscribeRequest,
  ): Promise<Omit<AddedSubscription, "claimed">>;
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
   * Chooses how messages to the subscription are signed from now on, retries
   * of earlier ones too: with a fresh key, and with no earlier one.
   *
   * @throws CarillonError SIGNATURE_INVALID, SIGNATURE_CONFLICT (it was changed
   * at the same time), SUBSCRIPTION_URN_INVALID, SUBSCRIPTION_NOT_FOUND
   */
  setSignature(
    projectId: ProjectId,
    urn: string,
    request: SignatureRequest,
  ): Promise<Subscription>;
  /**
   * Signs with a fresh key from now on, and for a while with the earlier ones.
   *
   * @throws CarillonError SIGNATURE_INVALID, SIGNATURE_CONFLICT (there is no
   * key, there are too many, or it was changed at the same time),
   * SUBSCRIPTION_URN_INVALID, SUBSCRIPTION_NOT_FOUND
   */
  rotateSignatureKey(
    projectId: ProjectId,
    urn: string,
    request: RotationRequest,
  ): Promise<Subscription>;
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
  /**
   * The subscription that the token of a link would end.
   *
   * @throws CarillonError SUBSCRIPTION_NOT_FOUND
   */
  findByUnsubscribeToken(token: string): Promise<Subscription>;
  /** @throws CarillonError SUBSCRIPTION_URN_INVALID, SUBSCRIPTION_NOT_FOUND */
  findByUrn(urn: string): Promise<Subscription>;
  /**
   * The subscriber's yes: the token of a link, or the code of a text message
   * with what it is for.
   *
   * @throws CarillonError CONFIRMATION_TOKEN_INVALID
   */
  confirm(token: string, where?: CodeTarget): Promise<Subscription>;
  /**
   * The subscriber's no, by the token of a link; an unsubscribe notice with a link
   * back is sent.
   *
   * @throws CarillonError SUBSCRIPTION_NOT_FOUND
   */
  unsubscribe(token: string): Promise<Subscription>;
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
  readonly store: SubscriptionStore & CounterStore;
  readonly topics: Topics;
  readonly dispatcher: Dispatcher;
  readonly notices: NoticeIntake;
  readonly clock: Clock;
  readonly newId: NewId<SubscriptionId>;
  readonly newMessageId: NewId<MessageId>;
  readonly newMailboxId: NewId<MailboxId>;
  /** How long messages live. Default: as the protocols say. */
  readonly lives?: MessageLives;
  readonly protocols: Protocols;
  /** How messages come to endpoints of the protocol. */
  readonly kindOf: (protocol: Protocol) => ChannelKind | undefined;
  readonly tokens: SubscriptionTokens;
  /** Names endpoints and senders where their wrong codes are counted. */
  readonly hash: KeyedHash;
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
  const { store, topics, dispatcher, notices, clock, tokens } = ports;
  const { checkTarget, protocols } = ports;
  const {
    quota = () => defaultSubscriptionsPerTopic,
    limitConfirmations = () => true,
    mailboxQuota = () => defaultPullSettings.mailboxQuota,
  } = options;
  const lives = ports.lives ?? defaultLivesOf(protocols);

  const codes = new CodeGuard(store, ports.hash);

  function subscriberNotice(
    kind: "confirmation" | "unsubscription",
    topic: Pick<Topic, "projectId" | "name"> & Partial<Topic>,
    topicSeq: number,
    protocol: Protocol,
  ): SubscriberNotice {
    const now = clock.now();
    const message: SubscriberNotice["message"] = {
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
      createdAt: now,
      expiresAt: addMs(now, confirmationLifetimeMs),
      timeToLiveSeconds: confirmationLifetimeMs / 1000,
    };
    return {
      kind,
      expiresAt: addMs(now, confirmationLifetimeMs),
      message,
      billable: ports.kindOf(protocol) === "billable",
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

  async function get(projectId: ProjectId, text: string) {
    const { topicName, subscriptionId } = parseOwnUrn(projectId, text);
    const found = await store.findSubscription(
      projectId,
      topicName,
      subscriptionId,
    );
    if (!found) throw subscriptionNotFound();
    return found;
  }

  /** One write: a crash leaves the former signature or the new one. */
  async function changeSignature(
    projectId: ProjectId,
    text: string,
    next: (
      known: SubscriptionSignature,
      protocol: ProtocolDefinition | undefined,
    ) => SubscriptionSignature,
  ): Promise<Subscription> {
    const known = await get(projectId, text);
    const signature = next(
      known.signature ?? smnSignature,
      protocols.find(known.protocol),
    );
    // Two who rotate at once would else end with two fresh keys.
    const { id, signature: former } = known;
    const isSet = await store.replaceSignature(id, former, signature);
    if (isSet) return { ...known, signature };
    // It may have been deleted meanwhile.
    await get(projectId, text);
    throw new CarillonError(
      "SIGNATURE_CONFLICT",
      "The subscription's signature was changed at the same time: look at it again.",
    );
  }

  /** What the token of a link may confirm now. */
  function openGrant(token: string): ConfirmationGrant | undefined {
    const grant = tokens.openConfirmationToken(token);
    return grant && grant.expiresAt > clock.now() ? grant : undefined;
  }

  async function findGranted(token: string): Promise<Subscription | undefined> {
    const grant = openGrant(token);
    if (!grant) return undefined;
    const known = await store.findSubscriptionById(grant.subscriptionId);
    return known?.generation === grant.generation ? known : undefined;
  }

  /** The store compares: its subscriber may have left since. */
  async function confirmByLink(
    token: string,
  ): Promise<Subscription | undefined> {
    const grant = openGrant(token);
    if (!grant) return undefined;
    const { subscriptionId, generation } = grant;
    return await store.confirmSubscription(subscriptionId, generation);
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
    // One of each protocol at most; the code was sent by one of them.
    const names = protocols.all.map(({ name }) => name);
    const { items } = await store.listSubscriptions(
      topic.projectId,
      { topicSeq: topic.seq, endpoint: where.endpoint, protocols: names },
      { offset: 0, limit: names.length },
    );
    const known =
      items.find((it) => it.codeExpiresAt !== undefined) ?? items[0];
    // Only where there is something to guess: what is counted is bounded.
    if (!known) return undefined;
    const wrongCodes = codes.keysOf(
      `${topic.seq}@${where.endpoint}`,
      networkOf(where.sender),
    );
    if (!(await codes.mayTry(wrongCodes))) return undefined;
    const { id: subscriptionId, generation, codeExpiresAt: expiresAt } = known;
    const isRight =
      expiresAt !== undefined &&
      expiresAt > clock.now() &&
      tokens.isConfirmationCode(code, {
        subscriptionId,
        generation,
        expiresAt,
      });
    // One write either way: the time it takes tells nothing. A crash in between
    // loses the count of a code that was not answered.
    if (isRight) {
      return await store.confirmSubscription(
        subscriptionId,
        generation,
        wrongCodes,
      );
    }
    await codes.countWrong(wrongCodes);
    return undefined;
  }

  async function findByUrn(text: string): Promise<Subscription> {
    const urn = parseUrn(text);
    const known = await store.findSubscription(
      urn.projectId,
      urn.topicName,
      urn.subscriptionId,
    );
    if (!known) throw subscriptionNotFound();
    return known;
  }

  /** `undefined`: there is none, or its subscriber left since that generation. */
  async function cancel(
    id: SubscriptionId,
    generation?: number,
  ): Promise<Subscription | undefined> {
    const subscription = await store.cancelSubscription(
      id,
      (found) =>
        // Who fetches messages subscribes again where it fetches them.
        ports.kindOf(found.protocol) === "pull"
          ? undefined
          : subscriberNotice(
              "unsubscription",
              { projectId: found.projectId, name: found.topicName },
              found.topicSeq,
              found.protocol,
            ),
      generation,
    );
    if (subscription) dispatcher.offer({ kind: "delivery", dueInMs: 0 });
    return subscription;
  }

  /**
   * Its confirmation goes straight to work where this engine has room. A crash
   * right behind the commit only delays it: it is due, or is once its lease ends.
   */
  async function add(
    subscription: NewSubscription,
    confirmation: SubscriberNotice | undefined,
  ): Promise<AddedSubscription> {
    const lease = confirmation && notices.reserve();
    let added: AddedSubscription | undefined;
    try {
      added = await store.addSubscription(
        subscription,
        confirmation,
        quota(),
        lease,
      );
    } finally {
      if (lease) notices.take(added?.claimed);
    }
    if (confirmation && !lease) {
      dispatcher.offer({ kind: "delivery", dueInMs: 0 });
    }
    return added;
  }

  /** The mailbox that is made for a pull endpoint which has none. */
  function mailboxFor(projectId: ProjectId, name: string): NewMailbox {
    return {
      id: ports.newMailboxId(),
      projectId,
      name,
      quota: mailboxQuota(),
      legacyConfirm: "auto",
      createdAt: clock.now(),
    };
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

  return {
    async subscribe(projectId, topicUrn, request) {
      const topic = await getTopic(projectId, topicUrn);
      const offered = request.overSmn ? protocols.ofSmn : protocols;
      const definition = offered.check(request.protocol);
      const { name: protocol, confirmation } = definition;
      const endpoint = checkEndpoint(definition, request.endpoint);
      const remark = checkRemark(request.remark);
      const extension = checkExtension(definition, request.extension);
      const signature =
        request.signature &&
        setSignature(definition, smnSignature, request.signature);
      if (definition.isUrl) await checkTarget(endpoint);
      const needsYes = confirmation !== "none";
      const isFetched = ports.kindOf(protocol) === "pull";
      const { claimed: _, ...result } = await add(
        {
          id: ports.newId(),
          topicSeq: topic.seq,
          projectId,
          protocol,
          endpoint,
          remark,
          extension,
          status: needsYes
            ? subscriptionStatus.unconfirmed
            : subscriptionStatus.confirmationNotNeeded,
          ...(signature && { signature }),
          ...(isFetched && { mailbox: mailboxFor(projectId, endpoint) }),
          ...(isFetched && extension.latest === true && { withLatest: lives }),
          createdAt: clock.now(),
        },
        needsYes
          ? {
              ...subscriberNotice("confirmation", topic, topic.seq, protocol),
              ...(extension.verificationCodeEnabled && {
                byCode: true as const,
              }),
              limits: limitConfirmations() ? confirmation : [],
            }
          : undefined,
      );
      if (result.throttled) {
        ports.logger?.warn("confirmation_throttled", {
          projectId,
          protocol,
          subscriptionId: result.subscription.id,
        });
      }
      return result;
    },
    list: (projectId, filter, page) =>
      store.listSubscriptions(projectId, filter, page),
    get,
    setRemark: async (projectId, text, remark) =>
      await change(projectId, text, { remark: checkRemark(remark) }),
    setFilterPolicies: async (projectId, text, policies) =>
      await change(projectId, text, {
        filterPolicies:
          policies === undefined ? [] : checkFilterPolicies(policies),
      }),
    setSignature: (projectId, text, request) =>
      changeSignature(projectId, text, (known, protocol) =>
        setSignature(protocol, known, request),
      ),
    rotateSignatureKey: (projectId, text, request) =>
      changeSignature(projectId, text, (known) =>
        rotateSignatureKey(known, request, clock.now()),
      ),
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
      const known = await findGranted(token);
      if (!known) throw tokenInvalid();
      return known;
    },
    async findByUnsubscribeToken(token) {
      const opened = tokens.openUnsubscribeToken(token);
      const known =
        opened && (await store.findSubscriptionById(opened.subscriptionId));
      if (known && isUnsubscribable(known, opened)) return known;
      throw unsubscribeLinkInvalid();
    },
    findByUrn,
    async confirm(token, where) {
      const subscription =
        where && verificationCodePattern.test(token)
          ? await confirmByCode(token, where)
          : await confirmByLink(token);
      if (!subscription) throw tokenInvalid();
      return subscription;
    },
    async unsubscribe(token) {
      const opened = tokens.openUnsubscribeToken(token);
      // In one step: whoever left and came back meanwhile stays.
      const left =
        opened && (await cancel(opened.subscriptionId, opened.generation));
      if (!left) throw unsubscribeLinkInvalid();
      return left;
    },
    async unsubscribeUrn(text) {
      const left = await cancel((await findByUrn(text)).id);
      if (!left) throw subscriptionNotFound();
      return left;
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

function unsubscribeLinkInvalid(): CarillonError {
  return new CarillonError(
    "SUBSCRIPTION_NOT_FOUND",
    "This link leads to no subscription: it may be incomplete, or you left since it was sent.",
  );
}

function subscriptionNotFound(): CarillonError {
  return new CarillonError("SUBSCRIPTION_NOT_FOUND", "Subscription not found.");
}
