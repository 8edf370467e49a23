/**
 * Our own API refuses what a request has that its route does not know: a
 * filter's misspelt name would otherwise mean everything. Free data (records,
 * and what may be anything) stays free.
 */

import type { FastifyRequest, RouteOptions } from "fastify";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import { isRecord, mapSchema } from "../schema-walk.ts";

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
  const excess = excessOf(body);
  if (excess === undefined) done();
  else done(new RequestError("REQUEST_INVALID", excess));
}

/** What a body has too much for a route that takes none. */
function excessOf(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (!isRecord(body) || Array.isArray(body)) {
    return "The body is no object; this route takes no body.";
  }
  const [member] = Object.keys(body);
  return member === undefined
    ? undefined
    : `The body has no member ${member.slice(0, 64)}; this route takes none.`;
}

function closed(schema: unknown): unknown {
  return mapSchema(schema, (copy) => {
    if (isRecord(copy.properties)) copy.additionalProperties ??= false;
  });
}
