/**
 * What a publisher may say of a message besides its content: how it is found
 * again, how it is sent, and what belongs to it in the publisher's own system.
 * All of it is optional; a message without any costs nothing more.
 */

import { CarillonError } from "../errors.ts";
import type { Protocols } from "../subscriptions/protocol.ts";
import { fitsUtf8, isStorable } from "../text.ts";
import { addMs, type EpochMs } from "../time.ts";
import {
  type ExtraData,
  type Message,
  type MessageClass,
  type MessagePriority,
  messageClasses,
  messagePriorities,
  type RelatedObject,
} from "./message.ts";
import { checkSmsOptions, type SmsOptionNaming } from "./sms-options.ts";

/** As a publisher hands them over; unchecked. Absent and null are the same. */
export interface MessageOptions {
  readonly tag?: unknown;
  readonly class?: unknown;
  readonly sms?: unknown;
  readonly priority?: unknown;
  readonly relatedObjects?: unknown;
  readonly extraData?: unknown;
  readonly orderingKey?: unknown;
  readonly statusUrl?: unknown;
  readonly notBefore?: EpochMs | undefined;
}

/** What an API calls these members, for errors; default: our own names. */
export interface MessageOptionNames {
  readonly statusUrl?: string;
  readonly sms?: SmsOptionNaming;
}

type CheckedOptions = Pick<Message, keyof MessageOptions>;

/** What the options of a message may be at most. */
export const messageOptionLimits = {
  /** Characters of a tag. */
  tagLength: 64,
  relatedObjects: 32,
  /** Characters of the type and of the id of a related object. */
  relatedObjectLength: 128,
  /** UTF-8 bytes of the extra data as JSON. */
  extraDataBytes: 8192,
  orderingKeyLength: 128,
  /** Characters of the status URL. */
  statusUrlLength: 2048,
  /** How far ahead `notBefore` may be: 35 days, as SMS carriers schedule. */
  notBeforeMs: 35 * 86_400_000,
} as const;

/**
 * Only what was given is a member of the answer. A `notBefore` that is not
 * ahead is left out: the message may go at once.
 *
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function checkMessageOptions(
  options: MessageOptions,
  now: EpochMs,
  protocols: Pick<Protocols, "find">,
  names: MessageOptionNames = {},
): CheckedOptions {
  if (optionNames.every((name) => options[name] === undefined)) return none;
  const { notBefore } = options;
  const tag = checkIfGiven(options.tag, checkTag);
  const messageClass = checkIfGiven(options.class, checkClass);
  const sms = checkIfGiven(options.sms, (value) =>
    checkSmsOptions(value, names.sms),
  );
  const priority = checkIfGiven(options.priority, checkPriority);
  const relatedObjects = checkIfGiven(
    options.relatedObjects,
    checkRelatedObjects,
  );
  const extraData = checkIfGiven(options.extraData, (value) =>
    checkExtraData(value),
  );
  const orderingKey = checkIfGiven(options.orderingKey, checkOrderingKey);
  const statusUrl = checkIfGiven(options.statusUrl, (value) =>
    checkStatusUrl(value, protocols, names.statusUrl ?? "statusUrl"),
  );
  if (notBefore !== undefined && notBefore > addMs(now, maxAheadMs)) {
    throw invalid("notBefore", "it may be at most 35 days ahead");
  }
  return {
    ...(tag !== undefined && { tag }),
    ...(messageClass !== undefined && { class: messageClass }),
    ...(sms !== undefined && { sms }),
    ...(priority !== undefined && { priority }),
    ...(relatedObjects?.length && { relatedObjects }),
    ...(extraData !== undefined && { extraData }),
    ...(orderingKey !== undefined && { orderingKey }),
    ...(statusUrl !== undefined && { statusUrl }),
    ...(notBefore !== undefined && notBefore > now && { notBefore }),
  };
}

/** As of most messages. */
const none: CheckedOptions = Object.freeze({});

const optionNames = [
  "notBefore",
  "tag",
  "class",
  "sms",
  "priority",
  "relatedObjects",
  "extraData",
  "orderingKey",
  "statusUrl",
] as const satisfies readonly (keyof MessageOptions)[];

const { notBeforeMs: maxAheadMs } = messageOptionLimits;

function checkIfGiven<Value>(
  value: unknown,
  check: (value: unknown) => Value,
): Value | undefined {
  return value === undefined || value === null ? undefined : check(value);
}

/** @throws CarillonError MESSAGE_OPTION_INVALID */
export function checkTag(tag: unknown): string {
  const { tagLength } = messageOptionLimits;
  if (
    typeof tag === "string" &&
    tag.length <= tagLength &&
    /^[\w.:-]+$/.test(tag)
  ) {
    return tag;
  }
  throw invalid(
    "tag",
    `1 to ${tagLength} ASCII letters, digits, or any of _ . : - are expected`,
  );
}

function checkClass(value: unknown): MessageClass {
  const found = messageClasses.find((name) => name === value);
  if (found !== undefined) return found;
  throw invalid("class", `one of ${messageClasses.join(", ")} is expected`);
}

function checkPriority(value: unknown): MessagePriority {
  const found = messagePriorities.find((priority) => priority === value);
  if (found !== undefined) return found;
  throw invalid("priority", "1 (highest), 2 or 3 is expected");
}

/**
 * Each once, in the order given.
 *
 * @param name of what is checked, for the error
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function checkRelatedObjects(
  list: unknown,
  name = "relatedObjects",
): readonly RelatedObject[] {
  const { relatedObjects: most } = messageOptionLimits;
  if (!Array.isArray(list)) throw invalid(name, "a list is expected");
  if (list.length > most) {
    throw invalid(name, `${list.length} were given, ${most} is the most`);
  }
  const found = new Map<string, RelatedObject>();
  for (const [n, item] of list.entries()) {
    const object = checkRelatedObject(item, `${name}[${n}]`);
    found.set(`${object.type} ${object.id}`, object);
  }
  return [...found.values()];
}

/**
 * Types hold no blank, so that type and id together are one key. An id that is
 * an integer is the same as its decimal text.
 *
 * @param name of what is checked, for the error
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function checkRelatedObject(
  value: unknown,
  name = "relatedObject",
): RelatedObject {
  const { type, id } = (
    typeof value === "object" && value !== null ? value : {}
  ) as Readonly<Record<string, unknown>>;
  const { relatedObjectLength: most } = messageOptionLimits;
  if (
    typeof type !== "string" ||
    type.length > most ||
    !/^[\w.:-]+$/.test(type)
  ) {
    throw invalid(
      name,
      `type must be 1 to ${most} ASCII letters, digits, or any of _ . : -`,
    );
  }
  const text = Number.isSafeInteger(id) ? String(id) : id;
  if (
    typeof text !== "string" ||
    text === "" ||
    text.length > most ||
    !isStorable(text) ||
    !text.isWellFormed()
  ) {
    throw invalid(
      name,
      `id must be a whole number below 2^53 or a text of 1 to ${most} characters`,
    );
  }
  return { type, id: text };
}

/**
 * @param name of what is checked, for the error
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function checkExtraData(value: unknown, name = "extraData"): ExtraData {
  const { extraDataBytes: most } = messageOptionLimits;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(name, "a JSON object is expected");
  }
  const json = JSON.stringify(value);
  if (!fitsUtf8(json, most)) {
    throw invalid(name, `as JSON it may have at most ${most} bytes`);
  }
  // U+0000 stands escaped in JSON; PostgreSQL keeps it in no form.
  if (/(?<!\\)(\\\\)*\\u0000/.test(json)) {
    throw invalid(name, "it may not contain the character U+0000");
  }
  // Just seen to be an object.
  return value as ExtraData;
}

function checkOrderingKey(value: unknown): string {
  const { orderingKeyLength: most } = messageOptionLimits;
  if (
    typeof value === "string" &&
    value !== "" &&
    value.length <= most &&
    isStorable(value) &&
    value.isWellFormed()
  ) {
    return value;
  }
  throw invalid("orderingKey", `a text of 1 to ${most} characters is expected`);
}

function checkStatusUrl(
  value: unknown,
  protocols: Pick<Protocols, "find">,
  name: string,
): string {
  const { statusUrlLength: most } = messageOptionLimits;
  if (typeof value !== "string" || value.length > most) {
    throw invalid(name, `a URL of at most ${most} characters is expected`);
  }
  const scheme = /^(https?):\/\//.exec(value)?.[1];
  if (scheme === undefined) {
    throw invalid(name, "it does not start with http:// or https://");
  }
  const definition = protocols.find(scheme);
  const problem = definition
    ? definition.problemWithEndpoint(value)
    : `protocol ${scheme} is not set up`;
  if (problem === undefined) return value;
  throw invalid(name, `an http or https URL is expected; ${problem}`);
}

/** @param problem completes "Invalid tag: …." */
function invalid(name: string, problem: string): CarillonError {
  return new CarillonError(
    "MESSAGE_OPTION_INVALID",
    `Invalid ${name}: ${problem}.`,
  );
}
