/** Objects that templates may not be sent about. */

import type { StoredTemplates } from "@carillon/core";
import { Type } from "../../../json-schema.ts";
import { projectOf } from "../../authentication.ts";
import type { HttpApp } from "../../http-app.ts";
import { toMillisecondsText } from "../../timestamps.ts";
import { refusals } from "../error-answers.ts";
import { limitParameter, readLimit } from "../schema-parts.ts";
import { parseObject } from "./bodies.ts";
import {
  after,
  channelParams,
  DisallowedList,
  DisallowedRequest,
  params,
} from "./schemas.ts";

const tags = ["Templates"];
const reading = { config: { operation: "templates.read" } } as const;
const writing = { config: { operation: "templates.write" } } as const;

/** Of one template, and of all of a channel. */
export function disallowedObjectRoutes(
  app: HttpApp,
  templates: StoredTemplates,
): void {
  for (const { path, params: pathParams, what } of [
    {
      path: "/disallowed-objects/:channel",
      params: channelParams,
      what: "no template of the channel",
    },
    {
      path: "/templates/:channel/:slug/disallowed-objects",
      params,
      what: "a template not",
    },
  ] as const) {
    const scopeOf = (given: object) => ({
      channel: "channel" in given ? given.channel : undefined,
      slug: "slug" in given ? given.slug : undefined,
    });

    app.get(
      path,
      {
        ...reading,
        schema: {
          summary: `Lists the objects that ${what} may be sent about`,
          tags,
          params: pathParams,
          querystring: Type.Object({ limit: limitParameter, after }),
          response: { 200: DisallowedList, ...refusals },
        },
      },
      async (request) => {
        const { channel, slug } = scopeOf(request.params);
        const limit = readLimit(request.query.limit);
        const marker = request.query.after;
        const found = await templates.listDisallowed(
          projectOf(request),
          channel,
          slug,
          {
            limit: limit + 1,
            ...(marker !== undefined && { after: parseObject(marker) }),
          },
        );
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          objects: page.map(({ createdAt, ...object }) => ({
            ...object,
            createdAt: toMillisecondsText(createdAt),
          })),
          ...(last &&
            found.length > limit && { next: `${last.type} ${last.id}` }),
        };
      },
    );

    app.put(
      path,
      {
        ...writing,
        schema: {
          summary: `Adds objects that ${what} may be sent about`,
          tags,
          params: pathParams,
          body: DisallowedRequest,
          response: { 204: Type.Null(), ...refusals },
        },
      },
      async (request, reply) => {
        const { channel, slug } = scopeOf(request.params);
        const { objects } = request.body;
        await templates.disallow(projectOf(request), channel, slug, objects);
        return reply.code(204).send(null);
      },
    );

    app.delete(
      path,
      {
        ...writing,
        schema: {
          summary: `Removes an object that ${what} may be sent about`,
          tags,
          params: pathParams,
          querystring: Type.Object({
            type: Type.String({
              maxLength: 128,
              description: "Kind of the object",
            }),
            id: Type.String({ maxLength: 128, description: "Its id" }),
          }),
          response: { 204: Type.Null(), ...refusals },
        },
      },
      async (request, reply) => {
        const { channel, slug } = scopeOf(request.params);
        const { type, id } = request.query;
        const objects = [{ type, id }];
        // Twice is fine.
        await templates.allow(projectOf(request), channel, slug, objects);
        return reply.code(204).send(null);
      },
    );
  }
}
