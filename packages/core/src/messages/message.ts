/** A message: what was published, and to whom. */

import { CarillonError } from "../errors.ts";
import type { MessageId, ProjectId } from "../ids.ts";
import { findExcess, type JsonLimits } from "../json-extent.ts";
import {
  type Protocol,
  type ProtocolDefinition,
  type Protocols,
  variantsOf,
} from "../subscriptions/protocol.ts";
import type { ConfirmationGrant } from "../subscriptions/subscription-tokens.ts";
import { checkStorable, fitsUtf8, isStorable } from "../text.ts";
import type { EpochMs } from "../time.ts";
import type { EmailOptions } from "./email-options.ts";
import type { SmsOptions } from "./sms-options.ts";

/**
 * What a message says. Confirmations, unsubscribe notices and events travel as
 * messages too, so that they are as durable, retried and explained as any
 * notification.
 */
export type MessageContent =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "structure";
      /** Protocol → text; `default` is always there. */
      readonly variants: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "confirmation";
      /** What its link or code is made from when it is sent. */
      readonly grant: ConfirmationGrant;
      /** A code stands in place of the link. */
      readonly byCode?: true;
    }
  | {
      readonly kind: "unsubscription";
      /** Of the link back. */
      readonly grant: ConfirmationGrant;
    }
  /** What the change feed says, as JSON. Of its own deliveries nothing is told. */
  | { readonly kind: "event"; readonly text: string }
  /** A mail that has HTML; to other protocols its text goes. */
  | { readonly kind: "mail"; readonly text: string; readonly html: string };

/** What a message can say. */
export const contentKinds = [
  "text",
  "structure",
  "confirmation",
  "unsubscription",
  "event",
  "mail",
] as const satisfies readonly MessageContent["kind"][];

/** To whom a message can go. */
export const audienceKinds = [
  "topic",
  "subscription",
  "direct",
  "topics",
] as const;

/**
 * Who gets it: a topic's subscribers, one subscription, recipients of its own, or
 * the subscribers of several topics, each once.
 */
export type AudienceKind = (typeof audienceKinds)[number];

/** A message that was accepted, with all that its deliveries need. */
export interface Message {
  /** The store's own number; grows with acceptance. */
  readonly seq: number;
  readonly id: MessageId;
  readonly projectId: ProjectId;
  readonly audience: AudienceKind;
  /**
   * Absent for direct messages. Of a message to several topics, the one whose
   * subscriber it is for; absent as long as it is for all of them.
   */
  readonly topic?: MessageTopic;
  /** Two or more, in the order given; only of a message to several. */
  readonly topics?: readonly MessageTopic[];
  readonly subject?: string;
  readonly content: MessageContent;
  /**
   * The key that seals content, subject, attributes, extra data and the options
   * of texts: until it is opened the content says nothing, and the others are
   * absent.
   */
  readonly sealedBy?: string;
  readonly attributes?: readonly MessageAttribute[];
  readonly createdAt: EpochMs;
  /** After this instant no attempt is made. */
  readonly expiresAt: EpochMs;
  /**
   * As it was given: for all protocols, or for those that it names. Where it is
   * absent the protocol's default life counts; `expiresAt` is the end of the
   * longest.
   */
  readonly timeToLiveSeconds?: TimeToLive;
  /** No attempt is made before it, and lives are counted from it. */
  readonly notBefore?: EpochMs;
  /** Kind of traffic; decides the default life of texts. */
  readonly class?: MessageClass;
  /** A label of the publisher's, to find messages by. */
  readonly tag?: string;
  /**
   * Who fetches messages gets those of one key one after the other: the next when
   * the one before is confirmed.
   */
  readonly orderingKey?: string;
  /** What the message is about in the publisher's own system. */
  readonly relatedObjects?: readonly RelatedObject[];
  /** What its texts are sent with. */
  readonly sms?: SmsOptions;
  /** What its mails are sent with. */
  readonly email?: EmailOptions;
  /**
   * Bytes of its attachments, all together; absent: it has none. So a mail without
   * them costs no look-up, and one with them has its room before they are read.
   */
  readonly attachmentBytes?: number;
  /** Of the stored-message template it was made from, which may be deleted. */
  readonly templateSlug?: string;
  readonly priority?: MessagePriority;
  /** Absent: the engine's schedule says when it is attempted again. */
  readonly retries?: MessageRetries;
  /** Data of the publisher's, kept with the message and not delivered. */
  readonly extraData?: ExtraData;
  /** Where the publisher wants to be told of outcomes: an http or https URL. */
  readonly statusUrl?: string;
}

/** Seconds; by protocol, those not named have their default lives. */
export type TimeToLive = number | Readonly<Record<Protocol, number>>;

/** Kinds of traffic, the most urgent first. */
export const messageClasses = ["otp", "transactional", "bulk"] as const;

/** What a message is for; where no life is given, it decides that. */
export type MessageClass = (typeof messageClasses)[number];

/**
 * Whose rules say when a message is attempted again. `batch`: those of batch mode.
 * `none`: it is attempted once.
 */
export type MessageRetries = "batch" | "none";

/** 1 is the highest. */
export const messagePriorities = [1, 2, 3] as const;

export type MessagePriority = (typeof messagePriorities)[number];

/** What is shown of a message to which none was given: the lowest. */
export const defaultPriority: MessagePriority = 3;

/** An object in the publisher's own system, such as an order. */
export interface RelatedObject {
  readonly type: string;
  readonly id: string;
}

/** A JSON object. */
export type ExtraData = Readonly<Record<string, unknown>>;

/** What a message keeps of its topic, so that it outlives the topic. */
export interface MessageTopic {
  readonly seq: number;
  readonly urn: string;
  readonly name: string;
  readonly displayName: string;
  readonly introduction: string;
}

/** An attribute of a message that filter policies of subscriptions look at. */
export interface MessageAttribute {
  readonly name: string;
  readonly type: "STRING" | "STRING_ARRAY" | "PROTOCOL";
  readonly value: string | readonly string[];
}

/** A message before the store gave it a number. */
export type NewMessage = Omit<Message, "seq">;

/** 256 KB, in bytes of UTF-8 (SMN limits). */
export const maxMessageBytes = 262_144;

/** Bound of SMN's time to live, in seconds. */
export const maxTimeToLiveSeconds = 604_800;

/** Bound of the life that our own API gives a message, in seconds: 14 days. */
export const maxLifeSeconds = 14 * 86_400;

/**
 * The text for one protocol: the first of its variants that there is, else the
 * default.
 */
export function selectText(
  content: MessageContent,
  protocol: Pick<ProtocolDefinition, "name" | "variants">,
): string {
  switch (content.kind) {
    case "text":
    case "event":
    case "mail":
      return content.text;
    case "structure":
      return textOfVariant(content.variants, variantsOf(protocol));
    case "confirmation":
    case "unsubscription":
      return "";
    default:
      return content satisfies never;
  }
}

function textOfVariant(
  texts: Readonly<Record<string, string>>,
  names: readonly string[],
): string {
  for (const name of names) {
    const text = texts[name];
    if (text !== undefined) return text;
  }
  return texts.default ?? "";
}

/** Longest subject, in characters (SMN limits). */
const maxSubjectCharacters = 512;

/** A structure is one object of a text for each protocol. */
const structureLimits: JsonLimits = { values: 101, members: 100, depth: 64 };

/** @throws CarillonError SUBJECT_INVALID */
export function checkSubject(subject: unknown): string | undefined {
  if (subject === undefined || subject === null || subject === "") {
    return undefined;
  }
  if (
    typeof subject === "string" &&
    hasAtMost(maxSubjectCharacters, subject) &&
    !/[\r\n]/.test(subject)
  ) {
    return checkStorable(subject, "SUBJECT_INVALID", "subject");
  }
  throw new CarillonError(
    "SUBJECT_INVALID",
    `Invalid subject: text of at most ${maxSubjectCharacters} characters on one line.`,
  );
}

/** Of one or two units each; counts only what the units do not decide. */
function hasAtMost(characters: number, text: string): boolean {
  if (text.length <= characters) return true;
  return text.length <= 2 * characters && [...text].length <= characters;
}

/**
 * @param where the API takes texts, for the error
 * @throws CarillonError MESSAGE_INVALID
 */
export function checkText(text: unknown, where?: string): string {
  if (
    typeof text === "string" &&
    text !== "" &&
    fitsUtf8(text, maxMessageBytes)
  ) {
    return checkStorable(text, "MESSAGE_INVALID", "message");
  }
  throw new CarillonError(
    "MESSAGE_INVALID",
    `Invalid message: text of 1 byte to 256 KB is needed${where === undefined ? "" : ` in ${where}`}.`,
  );
}

/**
 * Parses SMN's `message_structure`: a JSON string of an object from protocol
 * to text, in which `default` is mandatory.
 *
 * @throws CarillonError MESSAGE_STRUCTURE_INVALID
 */
export function parseMessageStructure(structure: unknown): MessageContent {
  if (typeof structure !== "string") throw invalidStructure("it is no string");
  if (!fitsUtf8(structure, maxMessageBytes)) {
    throw invalidStructure("it is larger than 256 KB");
  }
  const bytes = new TextEncoder().encode(structure);
  if (findExcess(bytes, structureLimits) !== undefined) {
    throw invalidStructure(
      `it has more than ${structureLimits.members} members, or is nested deeply`,
    );
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(structure);
  } catch (cause) {
    throw invalidStructure("it is not JSON", cause);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw invalidStructure("it is not a JSON object");
  }
  return checkVariants(parsed);
}

/**
 * Checks texts by protocol, in which `default` is mandatory.
 *
 * @throws CarillonError MESSAGE_STRUCTURE_INVALID
 */
export function checkVariants(texts: object): MessageContent {
  const variants: Record<string, string> = Object.create(null);
  for (const [protocol, text] of Object.entries(texts)) {
    if (typeof text !== "string") {
      throw invalidStructure(`the value of "${protocol}" is no string`);
    }
    if (!isStorable(protocol) || !isStorable(text)) {
      throw invalidStructure("it contains the character U+0000");
    }
    if (!protocol.isWellFormed() || !text.isWellFormed()) {
      throw invalidStructure("it has half of a surrogate pair");
    }
    variants[protocol] = text;
  }
  if (!variants.default)
    throw invalidStructure('"default" is missing or empty');
  return { kind: "structure", variants };
}

/**
 * Parses SMN's `time_to_live`, seconds as a decimal string or a number, and our
 * own, which may be an object of seconds by protocol.
 *
 * @param name of the member, for the error
 * @param maxSeconds its bound
 * @returns seconds; `undefined` when none is given
 * @throws CarillonError TIME_TO_LIVE_INVALID
 */
export function parseTimeToLive(
  value: unknown,
  protocols: Pick<Protocols, "all" | "find">,
  name?: string,
  maxSeconds: number = maxTimeToLiveSeconds,
): TimeToLive | undefined {
  if (value === undefined || value === null || value === "") {
    return undefined;
  }
  if (typeof value !== "object")
    return parseLifeSeconds(value, name, maxSeconds);
  const entries = Object.entries(value);
  const lives: Record<Protocol, number> = {};
  for (const [protocol, seconds] of entries) {
    if (!protocols.find(protocol)) throw invalidLives(protocols);
    const what = `time to live of ${protocol}`;
    lives[protocol] = parseLifeSeconds(seconds, what, maxSeconds);
  }
  if (entries.length === 0) throw invalidLives(protocols);
  return lives;
}

/** @throws CarillonError TIME_TO_LIVE_INVALID */
export function parseLifeSeconds(
  value: unknown,
  what = "timeToLiveSeconds",
  maxSeconds: number = maxTimeToLiveSeconds,
): number {
  const seconds =
    typeof value === "string" && /^\d{1,9}$/.test(value)
      ? Number(value)
      : value;
  if (
    typeof seconds === "number" &&
    Number.isInteger(seconds) &&
    seconds >= 1 &&
    seconds <= maxSeconds
  ) {
    return seconds;
  }
  throw new CarillonError(
    "TIME_TO_LIVE_INVALID",
    `Invalid ${what}: whole seconds from 1 to ${maxSeconds}.`,
  );
}

function invalidLives({ all }: Pick<Protocols, "all">): CarillonError {
  return new CarillonError(
    "TIME_TO_LIVE_INVALID",
    `Invalid time to live: seconds for one or more of ${all.map(({ name }) => name).join(", ")} are expected.`,
  );
}

function invalidStructure(why: string, cause?: unknown): CarillonError {
  return new CarillonError(
    "MESSAGE_STRUCTURE_INVALID",
    `Invalid message structure: ${why}.`,
    { cause },
  );
}
