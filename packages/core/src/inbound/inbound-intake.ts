/**
 * The way of a text from a phone: keep it durably, publish it to the topic
 * that is bound to its number or keyword, answer the carrier.
 *
 * Crash before the commit: the carrier gets no answer and sends the text
 * again; nothing was kept. Crash after the commit, before the answer: the
 * carrier sends it again, and it is recognised. Crash before the
 * notification is delivered: its range is on disk, and the next engine that
 * looks for work continues it.
 */

import { CarillonError, type ErrorCode } from "../errors.ts";
import { checkNotEventTopic } from "../events/event-topic.ts";
import type { MessageId, NewId, ProjectId } from "../ids.ts";
import { lastExpiryOf, type MessageLives } from "../messages/default-life.ts";
import {
  type MessageAttribute,
  type MessageContent,
  maxMessageBytes,
  type NewMessage,
} from "../messages/message.ts";
import { isAttributeValue } from "../messages/message-attributes.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { InboundStore } from "../ports/inbound-store.ts";
import type { Logger } from "../ports/logger.ts";
import { fitsUtf8, toStorable } from "../text.ts";
import { toEpochMs } from "../time.ts";
import type { Topic } from "../topics/topic.ts";
import type { Topics } from "../topics/topics.ts";
import { formatTopicUrn } from "../urn.ts";
import {
  createInboundBindings,
  type InboundBinding,
} from "./inbound-binding.ts";
import {
  type InboundMessage,
  keywordOf,
  type NewInboundMessage,
} from "./inbound-message.ts";
import { toPhoneAddress } from "./phone-address.ts";

/** A text as a carrier adapter hands it over. */
export interface ReceivedText {
  readonly provider: string;
  /** The carrier's id; without one a repetition is not recognised. */
  readonly externalId?: string | undefined;
  /** Number in any form, or a name; empty if the carrier does not say. */
  readonly from: string;
  readonly to?: string | undefined;
  readonly text: string;
}

/** Takes texts that carriers hand over. */
export interface InboundIntake {
  /**
   * Resolves once the text is on disk, with the notification to its topic if
   * one is bound. What cannot be published, for want of the topic or of its
   * key, or because the topic is reserved, is logged as a warning; the text is
   * kept all the same.
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE, SHUTTING_DOWN: nothing was kept, the
   * carrier is to send it again
   */
  receive(text: ReceivedText): Promise<InboundMessage>;
}

export interface InboundPorts {
  readonly store: Pick<InboundStore, "acceptInbound">;
  readonly topics: Pick<Topics, "get" | "region">;
  readonly dispatcher: Pick<Dispatcher, "offer">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly seal: ContentSeal;
  readonly newId: NewId;
  readonly newMessageId: NewId<MessageId>;
}

export interface InboundOptions {
  /** Owns what comes in, and the bound topics. */
  readonly projectId: ProjectId;
  /** Those that hold now; read for each text. */
  readonly bindings: () => readonly InboundBinding[];
  /** How long what they are published as lives, by protocol. */
  readonly lives: MessageLives;
}

/** Builds the intake of texts from phones for one project. */
export function createInboundIntake(
  ports: InboundPorts,
  { projectId, bindings, lives }: InboundOptions,
): InboundIntake {
  const { store, topics, dispatcher, clock, logger } = ports;

  /** @throws CarillonError TOPIC_RESERVED, TOPIC_NOT_FOUND */
  async function findTopic(
    inbound: NewInboundMessage,
  ): Promise<BoundTopic | undefined> {
    const findBinding = createInboundBindings(bindings());
    const binding = findBinding(inbound.to, inbound.keyword);
    if (binding === undefined) return undefined;
    const { region } = topics;
    const { topicName } = binding;
    checkNotEventTopic(topicName);
    const urn = formatTopicUrn({ region, projectId, topicName });
    return { ...(await topics.get(projectId, urn)), urn };
  }

  /** What cannot be published now is kept all the same. */
  async function notificationOf(
    inbound: NewInboundMessage,
  ): Promise<NewMessage | undefined> {
    try {
      const topic = await findTopic(inbound);
      if (topic === undefined) return undefined;
      const id = ports.newMessageId();
      return await ports.seal.seal(toNotification(inbound, topic, id, lives));
    } catch (error) {
      if (!isUnpublishable(error)) throw error;
      logger.warn("inbound_not_published", {
        inboundId: inbound.id,
        code: error.code,
        error: error.message,
      });
      return undefined;
    }
  }

  return {
    async receive(received) {
      const provider = toStorable(received.provider);
      const externalId = received.externalId && toStorable(received.externalId);
      // A phone cannot be asked to correct what it sent.
      const text = toStorable(received.text);
      const to = toPhoneAddress(received.to ?? "");
      const keyword = keywordOf(text);
      const inbound: NewInboundMessage = {
        id: ports.newId(),
        projectId,
        provider,
        ...(externalId && { externalId }),
        from: toPhoneAddress(received.from),
        ...(to && { to }),
        text,
        ...(keyword && { keyword }),
        receivedAt: clock.now(),
      };
      const notification = await notificationOf(inbound);
      const kept = await store.acceptInbound(
        notification ? { ...inbound, messageId: notification.id } : inbound,
        notification,
      );
      if (kept.isRepeated) {
        logger.info("inbound_repeated", { inboundId: kept.inbound.id });
      } else if (notification) dispatcher.offer({ kind: "range", dueInMs: 0 });
      return kept.inbound;
    },
  };
}

type BoundTopic = Topic & { readonly urn: string };

/** @throws CarillonError MESSAGE_INVALID when it is too long */
function toNotification(
  inbound: NewInboundMessage,
  { seq, urn, name, displayName, introduction }: BoundTopic,
  id: MessageId,
  lives: MessageLives,
): NewMessage {
  const { projectId, from, receivedAt } = inbound;
  const attributes = attributesOf(inbound);
  const createdAt = toEpochMs(receivedAt);
  return {
    id,
    projectId,
    audience: "topic",
    topic: { seq, urn, name, displayName, introduction },
    subject: from ? `SMS from ${from}` : "SMS",
    content: toContent(inbound),
    ...(attributes.length > 0 && { attributes }),
    createdAt,
    expiresAt: lastExpiryOf({ createdAt }, lives),
  };
}

/** People get the text, programs its parts. */
function toContent(inbound: NewInboundMessage): MessageContent {
  const { id, provider, from, to, text, keyword, receivedAt } = inbound;
  const json = JSON.stringify({
    id,
    provider,
    from,
    ...(to !== undefined && { to }),
    text,
    ...(keyword !== undefined && { keyword }),
    receivedAt: new Date(receivedAt).toISOString(),
  });
  const variants = {
    default: `${from || "Unknown sender"}: ${text}`,
    http: json,
    https: json,
  };
  if (fitsUtf8(JSON.stringify(variants), maxMessageBytes)) {
    return { kind: "structure", variants };
  }
  throw new CarillonError(
    "MESSAGE_INVALID",
    "The text is too long for a notification; read it in the list of inbound messages.",
  );
}

/** What filter policies choose by; their values have neither `+` nor spaces. */
function attributesOf({
  from,
  to,
  keyword,
  provider,
}: NewInboundMessage): MessageAttribute[] {
  const values: readonly (readonly [string, string | undefined])[] = [
    ["sender", from.replace(/^\+/, "")],
    ["receiver", to?.replace(/^\+/, "")],
    ["keyword", keyword],
    ["provider", provider],
  ];
  return values.flatMap(([name, value]) =>
    isAttributeValue(value) ? [{ name, type: "STRING", value }] : [],
  );
}

/** Sending the text again would not help. */
function isUnpublishable(error: unknown): error is CarillonError {
  return error instanceof CarillonError && unpublishable.has(error.code);
}

const unpublishable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "TOPIC_NOT_FOUND",
  "TOPIC_RESERVED",
  "MESSAGE_INVALID",
  "KEY_UNUSABLE",
]);
