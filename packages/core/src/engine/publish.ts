/**
 * First step of a message's way: check it, keep it durably, answer. What it
 * costs does not depend on how many subscribers the topic has.
 *
 * Crash before the commit: the publisher gets no answer, nothing is kept.
 * Crash after it: the message's range (or its due delivery) is on disk, and
 * the next engine that looks goes on with it.
 */

import { CarillonError, type ErrorCode } from "../errors.ts";
import { checkNotEventTopic } from "../events/event-topic.ts";
import type { MessageId, NewId, ProjectId } from "../ids.ts";
import { lastExpiryOf, type MessageLives } from "../messages/default-life.ts";
import {
  checkSubject,
  checkText,
  type Message,
  type MessageAttribute,
  type MessageContent,
  type NewMessage,
  parseMessageStructure,
  parseTimeToLive,
} from "../messages/message.ts";
import type { ProblemWithText } from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type {
  AudienceRange,
  DeliveryStore,
  Lease,
} from "../ports/delivery-store.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { TemplateReader } from "../ports/template-store.ts";
import { checkEndpoint, type Protocol } from "../subscriptions/protocol.ts";
import {
  checkTemplateName,
  checkTemplateTags,
  renderVariants,
} from "../templates/template.ts";
import type { Topics } from "../topics/topics.ts";

/** A message as a publisher hands it over; unchecked. */
export interface PublishRequest {
  readonly subject?: unknown;
  readonly text?: unknown;
  /** SMN's `message_structure`; wins over `template` and `text`. */
  readonly structure?: unknown;
  /** Wins over `text`. */
  readonly template?: TemplateChoice | undefined;
  /** Seconds; SMN's `time_to_live`. */
  readonly timeToLive?: unknown;
  readonly attributes?: readonly MessageAttribute[];
  /** Where what becomes of the deliveries is told: an http or https URL. */
  readonly statusUrl?: unknown;
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
   * SUBJECT_INVALID, ENDPOINT_INVALID (of the status URL), MESSAGE_INVALID, MESSAGE_STRUCTURE_INVALID, TIME_TO_LIVE_INVALID,
   * TEMPLATE_NAME_INVALID, TEMPLATE_TAGS_INVALID, TEMPLATE_NOT_FOUND,
   * TEMPLATE_DEFAULT_MISSING, KEY_UNUSABLE, STORAGE_FULL, STORAGE_UNAVAILABLE, SHUTTING_DOWN
   */
  publish(
    projectId: ProjectId,
    topicUrn: string,
    request: PublishRequest,
  ): Promise<MessageId>;
  /**
   * Keeps a text for one phone; resolves once it is on disk.
   *
   * @throws CarillonError ENDPOINT_INVALID, MESSAGE_INVALID, STORAGE_FULL, STORAGE_UNAVAILABLE,
   * SHUTTING_DOWN
   */
  sendSms(
    projectId: ProjectId,
    endpoint: unknown,
    text: unknown,
  ): Promise<MessageId>;
}

/** Where the publisher finds room for a message's first range at once. */
export interface RangeIntake {
  /** A lease for a range that will be worked now, if there is room. */
  reserve(): Lease | undefined;
  /** Takes the reserved range; `undefined` gives the room back. */
  take(work: { range: AudienceRange; message: Message } | undefined): void;
}

export interface PublisherPorts {
  readonly store: Pick<DeliveryStore, "acceptMessage" | "acceptDirectMessage"> &
    Pick<TemplateReader, "findTemplateVariants">;
  readonly topics: Topics;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly seal: ContentSeal;
  readonly newMessageId: NewId<MessageId>;
  readonly intake: RangeIntake;
  /** False once shutdown began. */
  readonly isOpen: () => boolean;
  /** A message was kept. */
  readonly onAccepted: () => void;
  /** Whether attempts of a protocol cost money. */
  readonly isBillable: (protocol: Protocol) => boolean;
  readonly problemWithText: ProblemWithText;
  readonly lives: MessageLives;
}

export function createPublisher(ports: PublisherPorts): Publisher {
  const { store, topics, dispatcher, clock, newMessageId, intake } = ports;
  const { lives } = ports;

  function checkOpen(): void {
    if (ports.isOpen()) return;
    throw new CarillonError(
      "SHUTTING_DOWN",
      "The service is shutting down; try again in a moment.",
    );
  }

  /** Resolved now: what becomes of the template later does not matter. */
  async function renderChosen(
    template: TemplateChoice & { readonly projectId: ProjectId },
  ): Promise<MessageContent> {
    const name = checkTemplateName(template.name);
    const tags = checkTemplateTags(template.tags);
    const variants = await store.findTemplateVariants(template.projectId, name);
    const content = renderVariants(variants, tags);
    // Of tags, for the template was looked at when it was written.
    checkVariants(
      content,
      "MESSAGE_INVALID",
      (protocol) =>
        `Invalid message: the template's ${protocol} variant holds, with these tags,`,
    );
    return content;
  }

  function contentOf(request: PublishRequest): MessageContent {
    if (isAbsent(request.structure)) {
      return { kind: "text", text: checkText(request.text) };
    }
    const content = parseMessageStructure(request.structure);
    checkVariants(
      content,
      "MESSAGE_STRUCTURE_INVALID",
      (protocol) =>
        `Invalid message structure: the value of "${protocol}" holds`,
    );
    return content;
  }

  /** @param begin a sentence that says what of a protocol's variant is wrong */
  function checkVariants(
    content: MessageContent,
    code: ErrorCode,
    begin: (protocol: string) => string,
  ): void {
    if (content.kind !== "structure") return;
    for (const [protocol, text] of Object.entries(content.variants)) {
      const problem = ports.problemWithText(protocol, text ?? "");
      if (problem === undefined) continue;
      throw new CarillonError(code, `${begin(protocol)} ${problem}.`);
    }
  }

  return {
    async publish(projectId, topicUrn, request) {
      checkOpen();
      const topic = await topics.get(projectId, topicUrn);
      checkNotEventTopic(topic.name);
      const statusUrl = checkStatusUrl(request.statusUrl);
      const createdAt = clock.now();
      const subject = checkSubject(request.subject);
      const content =
        request.template && isAbsent(request.structure)
          ? await renderChosen({ projectId, ...request.template })
          : contentOf(request);
      const timeToLiveSeconds = parseTimeToLive(request.timeToLive);
      const message: NewMessage = {
        id: newMessageId() as MessageId,
        projectId,
        audience: "topic",
        topic: {
          seq: topic.seq,
          urn: topicUrn,
          name: topic.name,
          displayName: topic.displayName,
          introduction: topic.introduction,
        },
        ...(subject !== undefined && { subject }),
        content,
        ...(request.attributes && { attributes: request.attributes }),
        createdAt,
        expiresAt: lastExpiryOf(createdAt, timeToLiveSeconds, lives),
        ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
        ...(statusUrl !== undefined && { statusUrl }),
      };
      const kept = await ports.seal.seal(message);
      const lease = intake.reserve();
      try {
        const { seq, range } = await store.acceptMessage(kept, lease);
        if (lease) {
          intake.take(range && { range, message: { ...message, seq } });
        } else dispatcher.announce({ kind: "ranges" });
        ports.onAccepted();
      } catch (error) {
        if (lease) intake.take(undefined);
        throw error;
      }
      return message.id;
    },
    async sendSms(projectId, endpoint, text) {
      checkOpen();
      const createdAt = clock.now();
      const to = checkEndpoint("sms", endpoint);
      const problem =
        typeof text === "string"
          ? ports.problemWithText("sms", text)
          : undefined;
      if (problem !== undefined) {
        throw new CarillonError(
          "MESSAGE_INVALID",
          `Invalid message: the text holds ${problem}.`,
        );
      }
      const message: NewMessage = {
        id: newMessageId() as MessageId,
        projectId,
        audience: "direct",
        content: { kind: "text", text: checkText(text) },
        createdAt,
        expiresAt: lastExpiryOf(createdAt, undefined, lives, ["sms"]),
      };
      await store.acceptDirectMessage(
        message,
        [{ protocol: "sms", endpoint: to }],
        ports.isBillable("sms"),
      );
      ports.onAccepted();
      dispatcher.announce({ kind: "due", at: createdAt });
      return message.id;
    },
  };
}

/** @throws CarillonError ENDPOINT_INVALID */
function checkStatusUrl(url: unknown): string | undefined {
  if (isAbsent(url)) return undefined;
  const isSecure = typeof url === "string" && /^https:/i.test(url);
  return checkEndpoint(isSecure ? "https" : "http", url);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
