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
import {
  lastExpiryOf,
  type MessageLives,
  startOf,
} from "../messages/default-life.ts";
import {
  checkRepeated,
  type IdempotencyKey,
  type IdempotentRequest,
  idempotencyKeyLifeMs,
} from "../messages/idempotency-key.ts";
import {
  checkSubject,
  checkText,
  checkVariants,
  type MessageAttribute,
  type MessageContent,
  type MessageTopic,
  type NewMessage,
  parseMessageStructure,
  parseTimeToLive,
  selectText,
} from "../messages/message.ts";
import {
  checkMessageOptions,
  type MessageOptionNames,
  type MessageOptions,
} from "../messages/message-options.ts";
import { checkTopicUrns } from "../messages/message-topics.ts";
import {
  checkRecipients,
  type RecipientRequest,
} from "../messages/recipients.ts";
import { RunningRequests } from "../messages/running-requests.ts";
import { checkSmsIsSent, checkSmsProvider } from "../messages/sms-options.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type {
  AcceptedMessage,
  DeliveryStore,
  DirectRecipient,
  RangeLease,
} from "../ports/delivery-store.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { IdempotencyStore } from "../ports/idempotency-store.ts";
import type { TemplateReader } from "../ports/template-store.ts";
import type { ClaimedRange } from "../ports/work-store.ts";
import {
  checkEndpoint,
  type Protocol,
  type Protocols,
} from "../subscriptions/protocol.ts";
import {
  checkTemplateName,
  checkTemplateTags,
  renderVariants,
} from "../templates/template.ts";
import { addMs } from "../time.ts";
import type { Topics } from "../topics/topics.ts";

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
  readonly attributes?: readonly MessageAttribute[];
  /** What the API calls these members, for errors; default: our own names. */
  readonly names?: MessageOptionNames & { readonly timeToLive: string };
  /** Names the request, so that its repetition is known for one. */
  readonly repeatable?: IdempotentRequest | undefined;
}

/** What else belongs to a text to one phone; unchecked. */
export type SmsRequest = MessageOptions &
  Pick<PublishRequest, "timeToLive" | "names" | "repeatable">;

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
   * @throws CarillonError TOPICS_INVALID, and those of `publish`
   */
  publishToSeveral(
    projectId: ProjectId,
    topicUrns: readonly string[],
    request: PublishRequest,
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
    Pick<IdempotencyStore, "findIdempotencyKey" | "acceptOnce"> &
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
  readonly protocols: Protocols;
  readonly lives: MessageLives;
  /**
   * Refuses status URLs that may not be reached, as far as that is known at once:
   * publishing asks no name server. Default: refuses none.
   *
   * @throws CarillonError ENDPOINT_FORBIDDEN
   */
  readonly checkStatusUrl?: ((url: string) => void) | undefined;
  /** Names of the providers that texts can go through. Default: any is taken. */
  readonly smsProviders?: (() => readonly string[]) | undefined;
}

export function createPublisher(ports: PublisherPorts): Publisher {
  const { store, topics, dispatcher, clock, newMessageId, intake } = ports;
  const { lives, protocols } = ports;
  const running = new RunningRequests();

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
    checkTexts(
      content,
      "MESSAGE_INVALID",
      (protocol) =>
        `Invalid message: the template's ${protocol} variant holds, with these tags,`,
    );
    return content;
  }

  function contentOf(request: PublishRequest): MessageContent {
    const { structure, variants, text } = request;
    if (isAbsent(structure) && variants === undefined) {
      return { kind: "text", text: checkText(text) };
    }
    const content = isAbsent(structure)
      ? checkVariants(variants ?? {})
      : parseMessageStructure(structure);
    checkTexts(
      content,
      "MESSAGE_STRUCTURE_INVALID",
      (protocol) =>
        `Invalid message structure: the value of "${protocol}" holds`,
    );
    return content;
  }

  /** @param begin a sentence that says what of a protocol's variant is wrong */
  function checkTexts(
    content: MessageContent,
    code: ErrorCode,
    begin: (protocol: string) => string,
  ): void {
    if (content.kind !== "structure") return;
    for (const [protocol, text] of Object.entries(content.variants)) {
      const problem = protocols.problemWithText(protocol, text ?? "");
      if (problem === undefined) continue;
      throw new CarillonError(code, `${begin(protocol)} ${problem}.`);
    }
  }

  /** What is checked of each message, whoever gets it. */
  async function checkRequest(projectId: ProjectId, request: PublishRequest) {
    const createdAt = clock.now();
    const subject = checkSubject(request.subject);
    const isRendered =
      isAbsent(request.structure) && request.variants === undefined;
    const content =
      request.template && isRendered
        ? await renderChosen({ projectId, ...request.template })
        : contentOf(request);
    const { names } = request;
    const timeToLiveSeconds = parseTimeToLive(
      request.timeToLive,
      protocols,
      names?.timeToLive,
    );
    const options = checkMessageOptions(request, createdAt, protocols, names);
    const { provider } = options.sms ?? {};
    if (provider !== undefined && ports.smsProviders !== undefined) {
      checkSmsProvider(provider, ports.smsProviders(), names?.sms);
    }
    if (options.statusUrl !== undefined) {
      ports.checkStatusUrl?.(options.statusUrl);
    }
    return {
      id: newMessageId(),
      projectId,
      ...(subject !== undefined && { subject }),
      content,
      ...(request.attributes && { attributes: request.attributes }),
      ...options,
      createdAt,
      ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
    };
  }

  /** What a request with this key led to before, if it was made before. */
  async function findEarlier(
    request: IdempotentRequest,
  ): Promise<PublishedMessage | undefined> {
    const { projectId, key } = request;
    const earlier = await store.findIdempotencyKey(projectId, key, clock.now());
    return earlier && toRepeated(request, earlier);
  }

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
    ports.onAccepted();
    const dueInMs = startOf(message) - message.createdAt;
    dispatcher.offer({ kind: "delivery", dueInMs });
    return { messageId: message.id };
  }

  /** One text for all is held against each protocol it goes to. */
  function checkTextFor(text: unknown, to: Iterable<Protocol>): void {
    if (typeof text !== "string") return;
    for (const protocol of to) {
      const problem = protocols.problemWithText(protocol, text);
      if (problem === undefined) continue;
      throw new CarillonError(
        "MESSAGE_INVALID",
        `Invalid message: the text holds ${problem}.`,
      );
    }
  }

  /** What is too long for a recipient's protocol would cost, or never go. */
  function checkLengths(content: MessageContent, to: Iterable<Protocol>): void {
    if (content.kind !== "text" && content.kind !== "structure") return;
    for (const name of to) {
      const definition = protocols.check(name);
      const problem = definition.problemWithLength?.(
        selectText(content, definition).toWellFormed(),
      );
      if (problem === undefined) continue;
      throw new CarillonError(
        "MESSAGE_INVALID",
        `Invalid message: the text for ${name} ${problem}.`,
      );
    }
  }

  /**
   * Carries out a request, or answers the one that it repeats.
   *
   * @throws CarillonError IDEMPOTENCY_KEY_RUNNING, IDEMPOTENCY_KEY_REUSED,
   * SHUTTING_DOWN
   */
  async function once(
    repeatable: IdempotentRequest | undefined,
    work: () => Promise<PublishedMessage>,
  ): Promise<PublishedMessage> {
    checkOpen();
    // As nearly always.
    if (repeatable === undefined) return await work();
    return await running.run(
      repeatable,
      async () => (await findEarlier(repeatable)) ?? (await work()),
    );
  }

  return {
    publish: (projectId, topicUrn, request) =>
      once(request.repeatable, async () => {
        const topic = await readTopic(projectId, topicUrn);
        const checked = await checkRequest(projectId, request);
        const expiresAt = lastExpiryOf(checked, lives);
        return await acceptForTopics(
          { ...checked, audience: "topic", topic, expiresAt },
          request.repeatable,
        );
      }),
    publishToSeveral: (projectId, topicUrns, request) =>
      once(request.repeatable, async () => {
        const named: MessageTopic[] = [];
        for (const urn of checkTopicUrns(topicUrns)) {
          named.push(await readTopic(projectId, urn).catch(namingTopic(urn)));
        }
        const checked = await checkRequest(projectId, request);
        const expiresAt = lastExpiryOf(checked, lives);
        return await acceptForTopics(
          { ...checked, audience: "topics", topics: named, expiresAt },
          request.repeatable,
        );
      }),
    send: (projectId, recipients, request) =>
      once(request.repeatable, async () => {
        const to = checkRecipients(recipients, protocols);
        const used = new Set(to.map(({ protocol }) => protocol));
        checkTextFor(request.text, used);
        const checked = await checkRequest(projectId, request);
        checkSmsIsSent(checked.sms, used, request.names?.sms);
        checkLengths(checked.content, used);
        return await acceptForRecipients(
          {
            ...checked,
            audience: "direct",
            expiresAt: lastExpiryOf(checked, lives, used),
          },
          to.map((it) => ({ ...it, billable: ports.isBillable(it.protocol) })),
          request.repeatable,
        );
      }),
    sendSms: (projectId, endpoint, text, request = {}) =>
      once(request.repeatable, async () => {
        const definition = protocols.check("sms");
        const { name: protocol } = definition;
        const to = checkEndpoint(definition, endpoint);
        checkTextFor(text, [protocol]);
        const checked = await checkRequest(projectId, { ...request, text });
        checkLengths(checked.content, [protocol]);
        return await acceptForRecipients(
          {
            ...checked,
            audience: "direct",
            expiresAt: lastExpiryOf(checked, lives, [protocol]),
          },
          [{ protocol, endpoint: to, billable: ports.isBillable(protocol) }],
          request.repeatable,
        );
      }),
  };
}

/** @throws CarillonError IDEMPOTENCY_KEY_REUSED */
function toRepeated(
  request: IdempotentRequest,
  earlier: IdempotencyKey,
): PublishedMessage {
  checkRepeated(request, earlier);
  const { messageId, requestId } = earlier;
  return { messageId, repeatsRequestId: requestId };
}

function toKey(
  request: IdempotentRequest,
  { id, createdAt }: NewMessage,
): IdempotencyKey {
  return {
    ...request,
    messageId: id,
    expiresAt: addMs(createdAt, idempotencyKeyLifeMs),
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

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
