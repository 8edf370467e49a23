/**
 * Our own API refuses what a request has that its route does not know: a
 * filter's misspelt name would otherwise mean everything. Free data (records,
 * and what may be anything) stays free.
 */

import type { FastifyRequest, RouteOptions } from "fastify";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";

const noParameters = Type.Object(
  {},
  { maxProperties: 100, additionalProperties: false },
);

/**
 * An `onRoute` hook: closes each object of a route's body and its query, and
 * lets a POST leave out a body whose members can all be left out.
 */
export function closeSchemas(route: RouteOptions): void {
  const { method, schema = {}, preValidation } = route;
  const { body, querystring } = schema;
  route.schema = {
    ...schema,
    ...(body !== undefined && { body: closed(body) }),
    querystring: querystring === undefined ? noParameters : closed(querystring),
  };
  const hook =
    body === undefined
      ? refuseBody
      : method === "POST" && isRecord(body) && body.required === undefined
        ? allowNoBody
        : undefined;
  if (!hook) return;
  route.preValidation = [
    ...(preValidation === undefined ? [] : [preValidation].flat()),
    hook,
  ];
}

type Done = (error?: Error) => void;

function allowNoBody(request: FastifyRequest, _: unknown, done: Done): void {
  request.body ??= {};
  done();
}

/** Clients that always send a body send an empty object, or `null`. */
function refuseBody({ body }: FastifyRequest, _: unknown, done: Done): void {
  const [member] = isRecord(body) ? Object.keys(body) : [];
  if (member === undefined) done();
  else {
    done(
      new RequestError(
        "REQUEST_INVALID",
        `The body has no member ${member.slice(0, 64)}; this route takes none.`,
      ),
    );
  }
}

function closed(schema: unknown): unknown {
  if (!isRecord(schema)) return schema;
  // Members that the JSON does not show stay as they are.
  const copy: Record<string, unknown> = Object.defineProperties(
    {},
    Object.getOwnPropertyDescriptors(schema),
  );
  const { items, anyOf, properties, patternProperties } = schema;
  if (items !== undefined) copy.items = closed(items);
  if (Array.isArray(anyOf)) copy.anyOf = anyOf.map(closed);
  if (isRecord(patternProperties)) {
    copy.patternProperties = mapValues(patternProperties, closed);
  }
  if (isRecord(properties)) {
    copy.properties = mapValues(properties, closed);
    copy.additionalProperties ??= false;
  }
  return copy;
}

function mapValues(
  members: Readonly<Record<string, unknown>>,
  map: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, map(value)]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
