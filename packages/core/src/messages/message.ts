/** A message: what was published, and to whom. */

import { CarillonError } from "../errors.ts";
import type { MessageId, ProjectId } from "../ids.ts";
import { findExcess, type JsonLimits } from "../json-extent.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import { checkStorable, fitsUtf8, isStorable } from "../text.ts";
import type { EpochMs } from "../time.ts";

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
  | { readonly kind: "confirmation"; readonly token: string }
  | { readonly kind: "unsubscription"; readonly token: string }
  /** What the change feed says, as JSON. Of its own deliveries nothing is told. */
  | { readonly kind: "event"; readonly text: string };

/** What a message can say. */
export const contentKinds = [
  "text",
  "structure",
  "confirmation",
  "unsubscription",
  "event",
] as const satisfies readonly MessageContent["kind"][];

/** To whom a message can go. */
export const audienceKinds = ["topic", "subscription", "direct"] as const;

/** Who gets it: a topic's subscribers, one subscription, or phone numbers. */
export type AudienceKind = (typeof audienceKinds)[number];

/** A message that was accepted, with all that its deliveries need. */
export interface Message {
  /** The store's own number; grows with acceptance. */
  readonly seq: number;
  readonly id: MessageId;
  readonly projectId: ProjectId;
  readonly audience: AudienceKind;
  /** Absent for direct messages. */
  readonly topic?: MessageTopic;
  readonly subject?: string;
  readonly content: MessageContent;
  /**
   * The key that seals content, subject and attributes: until it is opened
   * the content says nothing, and the others are absent.
   */
  readonly sealedBy?: string;
  readonly attributes?: readonly MessageAttribute[];
  readonly createdAt: EpochMs;
  /** After this instant no attempt is made. */
  readonly expiresAt: EpochMs;
  /**
   * As it was given; absent: each protocol's default life counts, and
   * `expiresAt` is the end of the longest.
   */
  readonly timeToLiveSeconds?: number;
  /** Where what becomes of its deliveries is told: an http or https URL. */
  readonly statusUrl?: string;
}

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

/** Bound of the time to live, in seconds. */
export const maxTimeToLiveSeconds = 604_800;

/** The text for one protocol: its own variant, else the default. */
export function selectText(
  content: MessageContent,
  protocol: Protocol,
): string {
  switch (content.kind) {
    case "text":
    case "event":
      return content.text;
    case "structure":
      return content.variants[protocol] ?? content.variants.default ?? "";
    case "confirmation":
    case "unsubscription":
      return "";
    default:
      return content satisfies never;
  }
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

/** @throws CarillonError MESSAGE_INVALID */
export function checkText(text: unknown): string {
  if (
    typeof text === "string" &&
    text !== "" &&
    fitsUtf8(text, maxMessageBytes)
  ) {
    return checkStorable(text, "MESSAGE_INVALID", "message");
  }
  throw new CarillonError(
    "MESSAGE_INVALID",
    "Invalid message: text of 1 byte to 256 KB is needed in message, message_structure or message_template_name.",
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
  const variants: Record<string, string> = Object.create(null);
  for (const [protocol, text] of Object.entries(parsed)) {
    if (typeof text !== "string") {
      throw invalidStructure(`the value of "${protocol}" is no string`);
    }
    if (!isStorable(protocol) || !isStorable(text)) {
      throw invalidStructure("it contains the character U+0000");
    }
    variants[protocol] = text;
  }
  if (!variants.default)
    throw invalidStructure('"default" is missing or empty');
  return { kind: "structure", variants };
}

/**
 * Parses SMN's `time_to_live`: seconds, as a decimal string or a number.
 *
 * @returns seconds; `undefined` when none is given
 * @throws CarillonError TIME_TO_LIVE_INVALID
 */
export function parseTimeToLive(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") {
    return undefined;
  }
  const seconds =
    typeof value === "string" && /^\d{1,9}$/.test(value)
      ? Number(value)
      : value;
  if (
    typeof seconds === "number" &&
    Number.isInteger(seconds) &&
    seconds >= 1 &&
    seconds <= maxTimeToLiveSeconds
  ) {
    return seconds;
  }
  throw new CarillonError(
    "TIME_TO_LIVE_INVALID",
    `Invalid time_to_live: whole seconds from 1 to ${maxTimeToLiveSeconds}.`,
  );
}

function invalidStructure(why: string, cause?: unknown): CarillonError {
  return new CarillonError(
    "MESSAGE_STRUCTURE_INVALID",
    `Invalid message structure: ${why}.`,
    { cause },
  );
}
