/**
 * What templates are rendered with: a JSON object. It comes from the code of
 * whoever embeds the service too, so that anything may be in it; nothing of that
 * is called while it is looked at.
 */

import { CarillonError } from "../errors.ts";
import { fitsUtf8, utf8Length } from "../text.ts";

/** A checked context: no part of it has a prototype, but for lists. */
export type TemplateContext = Readonly<Record<string, unknown>>;

/** What a context may be at most. */
export const templateContextLimits = {
  /** Objects and lists within each other; the context itself is the first. */
  depth: 16,
  /** Members of all objects and lists together. */
  values: 10_000,
  /** UTF-8 bytes of all names and texts together. */
  bytes: 262_144,
} as const;

const {
  depth: maxDepth,
  values: maxValues,
  bytes: maxBytes,
} = templateContextLimits;

interface Walk {
  /** The objects and lists that the value is in, outermost first. */
  readonly within: object[];
  values: number;
  bytes: number;
}

/**
 * Answers a copy. Absent is an empty object; members that are `undefined` are
 * left out.
 *
 * @throws CarillonError TEMPLATE_CONTEXT_INVALID, which names the path of what
 * is no JSON
 */
export function checkTemplateContext(context: unknown): TemplateContext {
  if (context === undefined || context === null) return Object.create(null);
  if (typeof context !== "object" || Array.isArray(context)) {
    throw invalid("context", "a JSON object is expected");
  }
  const walk: Walk = { within: [], values: 0, bytes: 0 };
  return copyObject(context, "context", walk);
}

function copyValue(value: unknown, path: string, walk: Walk): unknown {
  if (++walk.values > maxValues) {
    throw invalid(path, `a context has at most ${maxValues} values`);
  }
  switch (typeof value) {
    case "string":
      addBytes(value, path, walk);
      return value;
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      throw invalid(path, `${value} is no number of JSON`);
    case "object":
      if (value === null) return null;
      return Array.isArray(value)
        ? copyList(value, path, walk)
        : copyObject(value, path, walk);
    default:
      throw invalid(path, `${typeof value} has no place in JSON`);
  }
}

function copyObject(value: object, path: string, walk: Walk): TemplateContext {
  if (!isPlain(value)) {
    throw invalid(path, "an object of a class has no place in JSON");
  }
  enter(value, path, walk);
  const copy: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(value)) {
    const memberPath = `${path}.${name.slice(0, 100)}`;
    addBytes(name, memberPath, walk);
    const member = dataOf(value, name, memberPath);
    if (member !== undefined) copy[name] = copyValue(member, memberPath, walk);
  }
  walk.within.pop();
  return copy;
}

function copyList(
  value: readonly unknown[],
  path: string,
  walk: Walk,
): readonly unknown[] {
  if (!isPlainList(value)) {
    throw invalid(path, "an object of a class has no place in JSON");
  }
  if (value.length > maxValues) {
    throw invalid(path, `a context has at most ${maxValues} values`);
  }
  enter(value, path, walk);
  const copy = Array.from({ length: value.length }, (_, at) => {
    const memberPath = `${path}[${at}]`;
    const member = dataOf(value, String(at), memberPath);
    return copyValue(member, memberPath, walk);
  });
  walk.within.pop();
  return copy;
}

/** The member, without calling what would compute it. */
function dataOf(value: object, name: string, path: string): unknown {
  const property = Object.getOwnPropertyDescriptor(value, name);
  if (property === undefined) return undefined;
  if ("value" in property) return property.value;
  throw invalid(path, "a getter has no place in JSON");
}

function enter(value: object, path: string, walk: Walk): void {
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw invalid(path, "a symbol has no place in JSON");
  }
  if (walk.within.includes(value)) {
    throw invalid(path, "an object that is within itself has no end");
  }
  walk.within.push(value);
  if (walk.within.length > maxDepth) {
    throw invalid(path, `a context is at most ${maxDepth} deep`);
  }
}

function addBytes(text: string, path: string, walk: Walk): void {
  const left = maxBytes - walk.bytes;
  if (!fitsUtf8(text, left)) {
    throw invalid(path, `a context has at most ${maxBytes / 1024} KB`);
  }
  walk.bytes += utf8Length(text);
}

/** Also of another realm, as test runners have them. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || isObjectPrototype(prototype);
}

function isPlainList(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    isObjectPrototype(Object.getPrototypeOf(prototype))
  );
}

function isObjectPrototype(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === null &&
    Object.hasOwn(value, "hasOwnProperty")
  );
}

function invalid(path: string, what: string): CarillonError {
  return new CarillonError(
    "TEMPLATE_CONTEXT_INVALID",
    `Invalid ${path.slice(0, 300)}: ${what}.`,
  );
}
