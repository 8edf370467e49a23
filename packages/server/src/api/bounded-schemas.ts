/** Gives what a route takes a largest size. */

import type { RouteOptions } from "fastify";
import { mapSchema } from "./schema-walk.ts";

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
  return mapSchema(schema, (copy) => {
    for (const name of boundsOf(copy)) copy[name] ??= defaultBounds[name];
  });
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
