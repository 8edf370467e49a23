/**
 * First step of a message's way: check it, keep it durably, answer. What it
 * costs does not depend on how many subscribers the topic has.
 *
 * Crash before the commit: the publisher gets no answer, nothing is kept.
 * Crash after it: the message's range (or its due delivery) is on disk, and
 * the next engine that looks goes on with it.
 */

import { CarillonError } from "../errors.ts";
import { checkNotEventTopic } from "../events/event-topic.ts";
import type { MessageId, ProjectId } from "../ids.ts";
import {
  lastExpiryOf,
  type MessageLives,
  startOf,
} from "../messages/default-life.ts";
import type { IdempotentRequest } from "../messages/idempotency-key.ts";
import type {
  MessageAttribute,
  MessageTopic,
  NewMessage,
} from "../messages/message.ts";
import type {
  MessageOptionNames,
  MessageOptions,
} from "../messages/message-options.ts";
import { checkTopicUrns } from "../messages/message-topics.ts";
import {
  checkRecipients,
  type RecipientRequest,
} from "../messages/recipients.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type {
  AcceptedMessage,
  DeliveryStore,
  DirectRecipient,
  RangeLease,
} from "../ports/delivery-store.ts";
import type { IdempotencyStore } from "../ports/idempotency-store.ts";
import type { ClaimedRange } from "../ports/work-store.ts";
import { checkEndpoint, type Protocols } from "../subscriptions/protocol.ts";
import type { Topics } from "../topics/topics.ts";
import { type DirectIntake, toKey, toRepeated } from "./direct-intake.ts";
import type { RequestChecks } from "./request-checks.ts";

/** A message as a publisher hands it over; unchecked. */
export interface PublishRequest extends MessageOptions {
  readonly subject?: unknown;
  readonly text?: unknown;
  /** SMN's `message_structure`; wins over `variants`, `template` and `text`. */
  readonly structure?: unknown;
  /** The same as an object: text by protocol. */
  readonly variants?: object | undefined;
  /** Wins over `text`. */
  readonly template?: TemplateChoice | undefined;
  /** Seconds, or seconds by protocol; SMN's `time_to_live`. */
  readonly timeToLive?: unknown;
  /** Bound of `timeToLive`, in seconds. Default: that of our own API. */
  readonly maxTimeToLiveSeconds?: number;
  readonly attributes?: readonly MessageAttribute[];
  /** What the API calls these members, for errors; default: our own names. */
  readonly names?: MessageOptionNames & {
    readonly timeToLive?: string | undefined;
    readonly text?: string | undefined;
  };
  /** Names the request, so that its repetition is known for one. */
  readonly repeatable?: IdempotentRequest | undefined;
}

/** What else belongs to a text to one phone; unchecked. */
export type SmsRequest = MessageOptions &
  Pick<
    PublishRequest,
    "timeToLive" | "maxTimeToLiveSeconds" | "names" | "repeatable"
  >;

/** A message that is on disk. */
export interface PublishedMessage {
  readonly messageId: MessageId;
  /**
   * The id of the request that it was first published with: this one repeats
   * it, and nothing new was kept.
   */
  readonly repeatsRequestId?: string;
}

/** A template to publish by; unchecked. */
export interface TemplateChoice {
  readonly name: unknown;
  /** Values of its placeholders; those without one are left empty. */
  readonly tags?: unknown;
  /** Whose template it is. Default: the project of the topic. */
  readonly projectId?: ProjectId;
}

export interface Publisher {
  /**
   * Keeps a message for a topic's subscribers; resolves once it is on disk.
   *
   * @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND, TOPIC_RESERVED,
   * SUBJECT_INVALID,
   * MESSAGE_INVALID, MESSAGE_STRUCTURE_INVALID, TIME_TO_LIVE_INVALID,
   * MESSAGE_OPTION_INVALID, ENDPOINT_FORBIDDEN, TEMPLATE_NAME_INVALID, TEMPLATE_TAGS_INVALID,
   * TEMPLATE_NOT_FOUND, TEMPLATE_DEFAULT_MISSING, IDEMPOTENCY_KEY_REUSED,
   * IDEMPOTENCY_KEY_RUNNING, KEY_UNUSABLE, STORAGE_FULL, STORAGE_UNAVAILABLE,
   * SHUTTING_DOWN
   */
  publish(
    projectId: ProjectId,
    topicUrn: string,
    request: PublishRequest,
  ): Promise<PublishedMessage>;
  /**
   * The same for the subscribers of several topics of one project, each of whom
   * gets it once: through the first of the topics, in this order, in which they
   * have a subscription that lets it through.
   *
   * @param maxTopics how many at most; default 10
   * @throws CarillonError TOPICS_INVALID, and those of `publish`
   */
  publishToSeveral(
    projectId: ProjectId,
    topicUrns: readonly string[],
    request: PublishRequest,
    maxTopics?: number,
  ): Promise<PublishedMessage>;
  /**
   * Keeps a message for recipients that it names; resolves once it is on disk.
   *
   * @throws CarillonError RECIPIENTS_INVALID, and those of `publish` that do not
   * concern topics
   */
  send(
    projectId: ProjectId,
    recipients: readonly RecipientRequest[],
    request: PublishRequest,
  ): Promise<PublishedMessage>;
  /**
   * The same for a text to one phone.
   *
   * @throws CarillonError ENDPOINT_INVALID, and those of `publish` that do not
   * concern topics
   */
  sendSms(
    projectId: ProjectId,
    endpoint: unknown,
    text: unknown,
    request?: SmsRequest,
  ): Promise<PublishedMessage>;
}

/** Where the publisher finds room for a message's first range at once. */
export interface RangeIntake {
  /** A lease for a range that will be worked now, if there is room. */
  reserve(): RangeLease | undefined;
  /** Takes the reserved range; `undefined` gives the room back. */
  take(work: ClaimedRange | undefined): void;
  /**
   * Offers what is not claimed of a message's audience to all engines; it is due
   * in `dueInMs` milliseconds.
   */
  offer(messageSeq: number, unclaimed: number, dueInMs: number): void;
}

export interface PublisherPorts {
  readonly store: Pick<DeliveryStore, "acceptMessage" | "acceptDirectMessage"> &
    Pick<IdempotencyStore, "acceptOnce">;
  readonly topics: Topics;
  readonly checks: RequestChecks;
  readonly direct: DirectIntake;
  readonly seal: ContentSeal;
  readonly intake: RangeIntake;
  /** A message was kept for topics. */
  readonly onAccepted: () => void;
  readonly protocols: Protocols;
  readonly lives: MessageLives;
}

export function createPublisher(ports: PublisherPorts): Publisher {
  const { store, topics, intake } = ports;
  const { direct, checks, protocols, lives } = ports;

  /** @throws CarillonError TOPIC_URN_INVALID, TOPIC_NOT_FOUND, TOPIC_RESERVED */
  async function readTopic(
    projectId: ProjectId,
    urn: string,
  ): Promise<MessageTopic> {
    const topic = await topics.get(projectId, urn);
    checkNotEventTopic(topic.name);
    const { seq, name, displayName, introduction } = topic;
    return { seq, urn, name, displayName, introduction };
  }

  /** A message that was kept for its topics' subscribers, on its way. */
  async function acceptForTopics(
    message: NewMessage,
    repeatable: IdempotentRequest | undefined,
  ): Promise<PublishedMessage> {
    const kept = await ports.seal.seal(message);
    // Work of later has no place among that of now.
    const isDue = message.notBefore === undefined;
    const lease = isDue ? intake.reserve() : undefined;
    let work: ClaimedRange | undefined;
    let accepted: AcceptedMessage;
    try {
      if (repeatable) {
        const key = toKey(repeatable, message);
        const audience = { kind: "topics", lease } as const;
        const once = await store.acceptOnce(key, kept, audience);
        if (once.isRepeated) return toRepeated(repeatable, once.earlier);
        accepted = once;
      } else accepted = await store.acceptMessage(kept, lease);
      const { seq, range } = accepted;
      work = range && { range, message: { ...message, seq } };
    } finally {
      if (lease) intake.take(work);
    }
    const { seq, unclaimed } = accepted;
    if (unclaimed > 0) {
      intake.offer(seq, unclaimed, startOf(message) - message.createdAt);
    }
    ports.onAccepted();
    return { messageId: message.id };
  }

  async function acceptForRecipients(
    message: NewMessage,
    recipients: readonly DirectRecipient[],
    repeatable: IdempotentRequest | undefined,
  ): Promise<PublishedMessage> {
    if (repeatable) {
      const key = toKey(repeatable, message);
      const accepted = await store.acceptOnce(key, message, {
        kind: "direct",
        recipients,
      });
      if (accepted.isRepeated) return toRepeated(repeatable, accepted.earlier);
    } else await store.acceptDirectMessage(message, recipients);
    direct.onAccepted(message);
    return { messageId: message.id };
  }

  const once = (
    repeatable: IdempotentRequest | undefined,
    work: () => Promise<PublishedMessage>,
  ) => direct.once(repeatable, work, async (earlier) => earlier);

  return {
    publish: (projectId, topicUrn, request) =>
      once(request.repeatable, async () => {
        const topic = await readTopic(projectId, topicUrn);
        const checked = await checks.check(projectId, request);
        const expiresAt = lastExpiryOf(checked, lives);
        return await acceptForTopics(
          { ...checked, audience: "topic", topic, expiresAt },
          request.repeatable,
        );
      }),
    publishToSeveral: (projectId, topicUrns, request, max) =>
      once(request.repeatable, async () => {
        const named: MessageTopic[] = [];
        for (const urn of checkTopicUrns(topicUrns, max)) {
          named.push(await readTopic(projectId, urn).catch(namingTopic(urn)));
        }
        const checked = await checks.check(projectId, request);
        const expiresAt = lastExpiryOf(checked, lives);
        return await acceptForTopics(
          { ...checked, audience: "topics", topics: named, expiresAt },
          request.repeatable,
        );
      }),
    send: (projectId, recipients, request) =>
      once(request.repeatable, async () => {
        const to = checkRecipients(recipients, protocols, direct.isFetched);
        const used = new Set(to.map(({ protocol }) => protocol));
        return await acceptForRecipients(
          await direct.check(projectId, request, used),
          to.map((it) => ({ ...it, billable: direct.isBillable(it.protocol) })),
          request.repeatable,
        );
      }),
    sendSms: (projectId, endpoint, text, request = {}) =>
      once(request.repeatable, async () => {
        const definition = protocols.check("sms");
        const { name: protocol } = definition;
        const to = checkEndpoint(definition, endpoint);
        return await acceptForRecipients(
          await direct.check(
            projectId,
            { ...request, text },
            new Set([protocol]),
          ),
          [{ protocol, endpoint: to, billable: direct.isBillable(protocol) }],
          request.repeatable,
        );
      }),
  };
}

/** Says which topic it is that cannot be published to. */
function namingTopic(urn: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof CarillonError)) throw error;
    throw new CarillonError(error.code, `${error.message} It is ${urn}.`, {
      cause: error,
    });
  };
}
