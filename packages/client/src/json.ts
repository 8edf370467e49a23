/**
 * Turns answers of a service into known shapes. Services differ in what they
 * leave out, so only what a result cannot do without is demanded.
 */

import { InvalidResponseError } from "./errors.ts";

/** An object of parsed JSON, with members of any type. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `undefined` when the text is not JSON of an object. */
export function parseObject(text: string): JsonObject | undefined {
  const value = parse(text);
  return isObject(value) ? value : undefined;
}

/** `undefined` when the text is not JSON of a list of objects. */
export function parseObjects(text: string): JsonObject[] | undefined {
  const value = parse(text);
  return Array.isArray(value) && value.every(isObject) ? value : undefined;
}

/** `undefined` when the text is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws InvalidResponseError when the field is no text, or empty */
export function readText(object: JsonObject, field: string): string {
  const text = findText(object, field);
  if (text) return text;
  throw new InvalidResponseError(
    `Expected "${field}" in the answer; is the endpoint an SMN service?`,
  );
}

/** @throws InvalidResponseError when the field is neither true nor false */
export function readBoolean(object: JsonObject, field: string): boolean {
  const value = object[field];
  if (typeof value === "boolean") return value;
  throw new InvalidResponseError(
    `Expected "${field}" in the answer to be true or false.`,
  );
}

/** @throws InvalidResponseError when the field is no object */
export function readObject(object: JsonObject, field: string): JsonObject {
  const value = object[field];
  if (isObject(value)) return value;
  throw new InvalidResponseError(
    `Expected "${field}" in the answer to be an object.`,
  );
}

export function findText(
  object: JsonObject,
  field: string,
): string | undefined {
  const value = object[field];
  return typeof value === "string" ? value : undefined;
}

export function findNumber(
  object: JsonObject,
  field: string,
): number | undefined {
  const value = object[field];
  // JSON's 1e999 is none.
  return Number.isFinite(value) ? Number(value) : undefined;
}

/** @throws InvalidResponseError when the field is no list of objects */
export function readObjects(object: JsonObject, field: string): JsonObject[] {
  const value = object[field];
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw new InvalidResponseError(
    `Expected "${field}" in the answer to be a list of objects.`,
  );
}

export function findTexts(object: JsonObject, field: string): string[] {
  const value = object[field];
  return Array.isArray(value)
    ? value.filter((item) => typeof item === "string")
    : [];
}
