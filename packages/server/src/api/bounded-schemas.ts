/** Gives what a route takes a largest size. */

import type { RouteOptions } from "fastify";

/** Bounds of what a schema does not bound itself. */
export const defaultBounds = {
  /** Characters of a text. */
  maxLength: 8192,
  /** Items of a list. */
  maxItems: 1000,
  /** Members of an object, known and unknown ones. */
  maxProperties: 100,
} as const;

/**
 * An `onRoute` hook: gives each text, list and object that a route takes a
 * largest size, where its schema names none.
 */
export function boundSchemas(route: RouteOptions): void {
  const { schema } = route;
  if (!schema) return;
  const { body, querystring, params, headers } = schema;
  route.schema = {
    ...schema,
    ...(body !== undefined && { body: bounded(body) }),
    ...(querystring !== undefined && { querystring: bounded(querystring) }),
    ...(params !== undefined && { params: bounded(params) }),
    ...(headers !== undefined && { headers: bounded(headers) }),
  };
}

function bounded(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(bounded);
  if (!isRecord(schema)) return schema;
  // Members that the JSON does not show stay as they are.
  const copy: Record<string, unknown> = Object.defineProperties(
    {},
    Object.getOwnPropertyDescriptors(schema),
  );
  for (const name of ["items", "anyOf"]) {
    if (name in schema) copy[name] = bounded(schema[name]);
  }
  for (const name of ["properties", "patternProperties"]) {
    const members = schema[name];
    if (!isRecord(members)) continue;
    copy[name] = Object.fromEntries(
      Object.entries(members).map(([key, inner]) => [key, bounded(inner)]),
    );
  }
  for (const name of boundsOf(schema)) copy[name] ??= defaultBounds[name];
  return copy;
}

function boundsOf(
  schema: Readonly<Record<string, unknown>>,
): readonly (keyof typeof defaultBounds)[] {
  switch (schema.type) {
    case "string":
      return ["maxLength"];
    case "array":
      return ["maxItems"];
    case "object":
      return ["maxProperties"];
    case undefined:
      // Of any type, unless its values or variants are listed.
      return "enum" in schema || "const" in schema || "anyOf" in schema
        ? []
        : ["maxLength", "maxItems", "maxProperties"];
    default:
      return [];
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
