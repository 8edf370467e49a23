/**
 * Attributes that a publisher gives a message so that subscriptions can choose
 * by them. They are not part of what subscribers receive.
 */

import { CarillonError } from "../errors.ts";
import { isSmnProtocol } from "../templates/smn-protocols.ts";
import type { MessageAttribute } from "./message.ts";

/** SMN documents no number. */
export const maxMessageAttributes = 10;

/** Values of one attribute of type STRING_ARRAY. */
export const maxAttributeValues = 10;

/** An attribute as a publisher hands it over; unchecked. */
export interface MessageAttributeRequest {
  readonly name: unknown;
  readonly type: unknown;
  readonly value: unknown;
}

/**
 * Checks the attributes of a message.
 *
 * @throws CarillonError MESSAGE_ATTRIBUTES_INVALID
 */
export function checkMessageAttributes(
  attributes: readonly MessageAttributeRequest[],
): readonly MessageAttribute[] {
  if (attributes.length > maxMessageAttributes) {
    throw invalid(`at most ${maxMessageAttributes}`);
  }
  const checked = attributes.map(checkAttribute);
  if (new Set(checked.map(({ name }) => name)).size < checked.length) {
    throw invalid("names are unique");
  }
  if (checked.filter(({ type }) => type === "PROTOCOL").length > 1) {
    // Two lists of protocols would leave open which of them counts.
    throw invalid("at most one is of type PROTOCOL");
  }
  return checked;
}

/** 1 to 32 of `a-z0-9_`; underscores only singly and inside. */
export function isAttributeName(name: unknown): name is string {
  return (
    typeof name === "string" &&
    name.length <= 32 &&
    /^[a-z0-9]+(_[a-z0-9]+)*$/.test(name)
  );
}

/**
 * 1 to 32 letters of any language, digits or underscores. Marks count as
 * letters: without them no word of Hindi or Thai could be written.
 */
export function isAttributeValue(value: unknown): value is string {
  return (
    typeof value === "string" && /^[\p{L}\p{M}\p{Nd}_]{1,32}$/u.test(value)
  );
}

/** A list of 1 to 10 different attribute values. */
export function isAttributeValueList(list: unknown): list is string[] {
  return (
    Array.isArray(list) &&
    list.length >= 1 &&
    list.length <= maxAttributeValues &&
    list.every(isAttributeValue) &&
    new Set(list).size === list.length
  );
}

function checkAttribute({
  name,
  type,
  value,
}: MessageAttributeRequest): MessageAttribute {
  if (!isAttributeName(name)) {
    throw invalid(
      "names are 1 to 32 of a-z, 0-9 and single underscores between them",
    );
  }
  switch (type) {
    case "STRING":
      if (isAttributeValue(value)) return { name, type, value };
      throw invalid(
        "the value of a STRING is 1 to 32 letters, digits or underscores",
      );
    case "STRING_ARRAY":
      if (isAttributeValueList(value)) return { name, type, value };
      throw invalid(
        "the value of a STRING_ARRAY is a list of 1 to 10 different texts of 1 to 32 letters, digits or underscores",
      );
    case "PROTOCOL":
      if (isProtocolList(value)) {
        return { name, type, value: [...new Set(value)] };
      }
      throw invalid("the value of a PROTOCOL is a list of protocols");
    default:
      throw invalid("types are STRING, STRING_ARRAY and PROTOCOL");
  }
}

function isProtocolList(list: unknown): list is string[] {
  return (
    Array.isArray(list) &&
    list.length >= 1 &&
    list.every((item) => typeof item === "string" && isSmnProtocol(item))
  );
}

function invalid(rule: string): CarillonError {
  return new CarillonError(
    "MESSAGE_ATTRIBUTES_INVALID",
    `Invalid message attributes: ${rule}.`,
  );
}
