/**
 * The JSON dialect that forward peers speak: `{"?": ["Class", {…}]}` stands
 * for an object, `{"?E": ["Class", […]]}` for an error. Only classes in the
 * tables beside are ever built; any other object stays plain data.
 */

import { errorFromWire, errorToWire } from "./wire-errors.ts";
import { objectFromWire, objectToWire } from "./wire-objects.ts";
import { JsonExError } from "./wire-values.ts";

const MAX_DEPTH = 64;

/** Throws `JsonExError` for what JSON cannot hold. */
export function encode(value: unknown): string {
  return JSON.stringify(toWire(value, 0)) ?? "null";
}

/**
 * Reads a text from outside. Throws `JsonExError` if it is no JSON, is nested
 * too deeply, or holds a known class without its fields.
 */
export function decode(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new JsonExError("The body is not JSON", { cause });
  }
  return fromWire(parsed, 0);
}

function toWire(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  checkDepth(depth);
  if (Array.isArray(value)) {
    return value.map((item) => toWire(item, depth + 1));
  }
  if (value instanceof Error) return { "?E": errorToWire(value) };
  const object = objectToWire(value);
  if (object === undefined) return fieldsToWire(value, depth);
  const [name, content] = object;
  return { "?": [name, toWire(content, depth + 1)] };
}

function fieldsToWire(value: object, depth: number): object {
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return { ...toWireObject(value.toJSON(), depth) };
  }
  const fields: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (isSafeKey(key)) fields[key] = toWire(item, depth + 1);
  }
  return fields;
}

function toWireObject(value: unknown, depth: number): object {
  const wire = toWire(value, depth + 1);
  return typeof wire === "object" && wire !== null ? wire : { value: wire };
}

function fromWire(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  checkDepth(depth);
  if (Array.isArray(value)) {
    return value.map((item) => fromWire(item, depth + 1));
  }
  const fields: Record<string, unknown> = {};
  let count = 0;
  for (const [key, item] of Object.entries(value)) {
    if (!isSafeKey(key)) continue;
    fields[key] = fromWire(item, depth + 1);
    count += 1;
  }
  if (count !== 1) return fields;
  return (
    tagged(fields["?"], objectFromWire) ??
    tagged(fields["?E"], errorFromWire) ??
    fields
  );
}

// A tag holds a name and its content, and nothing else.
function tagged(
  tag: unknown,
  build: (name: string, content: unknown) => unknown,
): unknown {
  if (!Array.isArray(tag) || tag.length !== 2) return undefined;
  const [name, content] = tag;
  return typeof name === "string" ? build(name, content) : undefined;
}

// Copying such keys could reach the prototype of our own objects.
function isSafeKey(key: string): boolean {
  return key !== "__proto__" && key !== "constructor" && key !== "prototype";
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new JsonExError(`The data is nested more than ${MAX_DEPTH} deep`);
  }
}
