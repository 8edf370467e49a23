/** SMN's `message_attributes`, which filter policies of subscribers look at. */

import { CarillonError, type MessageAttribute } from "@carillon/core";

const maxAttributes = 10;
const name = /^(?!_)(?!.*__)(?!.*_$)[a-z0-9_]{1,32}$/;
const word = /^[\p{L}\p{N}_]{1,32}$/u;

/** @throws CarillonError MESSAGE_ATTRIBUTES_INVALID */
export function parseMessageAttributes(
  value: unknown,
): readonly MessageAttribute[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalid("a list is expected");
  if (value.length > maxAttributes) {
    throw invalid(`at most ${maxAttributes} are allowed`);
  }
  const attributes = value.map(parseAttribute);
  const names = new Set(attributes.map((attribute) => attribute.name));
  if (names.size < attributes.length) throw invalid("names are unique");
  return attributes.length === 0 ? undefined : attributes;
}

function parseAttribute(item: unknown): MessageAttribute {
  if (typeof item !== "object" || item === null) {
    throw invalid("each is an object with name, type and value");
  }
  const attribute = item as Readonly<Record<string, unknown>>;
  if (typeof attribute.name !== "string" || !name.test(attribute.name)) {
    throw invalid(
      "a name is 1 to 32 lower-case letters, digits and single underscores inside",
    );
  }
  switch (attribute.type) {
    case "STRING":
      if (!isWord(attribute.value)) throw invalidValue();
      return {
        name: attribute.name,
        type: "STRING",
        value: attribute.value,
      };
    case "STRING_ARRAY":
    case "PROTOCOL":
      if (!isWordList(attribute.value)) throw invalidValue();
      return {
        name: attribute.name,
        type: attribute.type,
        value: attribute.value,
      };
    default:
      throw invalid("a type is STRING, STRING_ARRAY or PROTOCOL");
  }
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && word.test(value);
}

function isWordList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= 10 &&
    value.every(isWord) &&
    new Set(value).size === value.length
  );
}

function invalidValue(): CarillonError {
  return invalid(
    "a value is 1 to 32 letters, digits and underscores, or a list of up to 10 such",
  );
}

function invalid(rule: string): CarillonError {
  return new CarillonError(
    "MESSAGE_ATTRIBUTES_INVALID",
    `Invalid message_attributes: ${rule}.`,
  );
}
