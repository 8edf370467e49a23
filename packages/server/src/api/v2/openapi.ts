/** Our API's own description, made of the schemas that check it. */

import { loadOnce } from "@carillon/core";
import fastify, { type RouteOptions } from "fastify";
import type { HttpApp } from "../http-app.ts";
import { withoutOwnCompilers } from "../validation.ts";
import { routeGroups } from "./route-groups.ts";

/** Before the routes: it looks on as they are added. */
export function describeRoutes(app: HttpApp, version: string): void {
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => {
    routes.push(route);
  });
  const text = loadOnce(() => describe(routes, version));
  app.get(
    "/openapi.json",
    { config: { operation: "public" }, schema: { hide: true } },
    async (_request, reply) =>
      reply
        .header("content-type", "application/json; charset=utf-8")
        .send(await text()),
  );
}

/**
 * Done when somebody asks, on an app that is made for it: a start needs neither
 * the description nor the library that writes it.
 */
async function describe(
  routes: readonly RouteOptions[],
  version: string,
): Promise<string> {
  const { default: swagger } = await import("@fastify/swagger");
  await using app = fastify({
    exposeHeadRoutes: false,
    schemaController: withoutOwnCompilers,
  });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Carillon",
        description:
          "Carillon's own API: what happened to each message. Times are RFC 3339, errors are problem details (RFC 9457) with a stable code.",
        version,
      },
      tags: [...routeGroups],
      components: {
        securitySchemes: {
          token: { type: "apiKey", in: "header", name: "X-Auth-Token" },
          bearer: { type: "http", scheme: "bearer" },
          accessKey: {
            type: "http",
            scheme: "basic",
            description: "Access key as user name, secret key as password",
          },
        },
      },
      security: [{ token: [] }, { bearer: [] }, { accessKey: [] }],
    },
    // Marks of ours that mean nothing to readers of the description.
    transform: ({ schema, url }) => ({ schema: withoutMarks(schema), url }),
  });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => () => "");
  for (const { method, url, schema } of routes) {
    app.route({ method, url, ...(schema && { schema }), handler: () => {} });
  }
  await app.ready();
  return JSON.stringify(app.swagger());
}

function withoutMarks<Schema>(schema: Schema): Schema {
  if (Array.isArray(schema)) return schema.map(withoutMarks) as Schema;
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema)
    .filter(([name]) => name !== "errorCode")
    .map(([name, value]) => [name, withoutMarks(value)]);
  return Object.fromEntries(entries) as Schema;
}
