/** Message attributes as SMN writes them. */

import {
  CarillonError,
  checkMessageAttributes,
  type MessageAttribute,
  type MessageAttributeRequest,
} from "@carillon/core";

/**
 * Reads the `message_attributes` of a publish request; absent means none.
 * Unknown members are dropped.
 *
 * @throws CarillonError MESSAGE_ATTRIBUTES_INVALID
 */
export function readMessageAttributes(
  body: unknown,
): readonly MessageAttribute[] {
  if (body === undefined || body === null) return [];
  if (!Array.isArray(body)) throw invalid("a list is expected");
  return checkMessageAttributes(body.map(readAttribute));
}

function readAttribute(body: unknown): MessageAttributeRequest {
  if (typeof body !== "object" || body === null) {
    throw invalid("each is an object of name, type and value");
  }
  return {
    name: "name" in body ? body.name : undefined,
    type: "type" in body ? body.type : undefined,
    value: "value" in body ? body.value : undefined,
  };
}

function invalid(rule: string): CarillonError {
  return new CarillonError(
    "MESSAGE_ATTRIBUTES_INVALID",
    `Invalid message attributes: ${rule}.`,
  );
}
