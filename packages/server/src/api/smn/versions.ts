/**
 * `GET /` and `GET /v2`: which versions there are. No log-in needed. At `/`
 * stands that of the identity service too: clients whose address for log-in
 * lacks `/v3` look for it there. A person's browser gets a page at `/`.
 */

import type { FastifyRequest } from "fastify";
import type { HttpApp } from "../http-app.ts";
import { describeIdentityVersion } from "../identity/version.ts";
import { type OriginOf, sitePathOf } from "../origin.ts";
import { acceptsPages, type Page, sendPage } from "../subscriber/page.ts";

export function versionRoutes(
  app: HttpApp,
  {
    originOf,
    version,
  }: { readonly originOf: OriginOf; readonly version: string },
): void {
  const describe = (request: FastifyRequest) => ({
    id: "v2",
    links: [{ href: `${originOf(request)}/v2`, rel: "self" }],
    min_version: "",
    status: "CURRENT",
    updated: "2018-09-19T00:00:00Z",
    version: "",
  });

  app.get("/", { config: { operation: "public" } }, async (request, reply) => {
    // Caches must not give one what the other asked for.
    reply.header("vary", "accept");
    const origin = originOf(request);
    if (acceptsPages(request))
      return sendPage(reply, startPage(origin, version));
    return {
      versions: [
        describe(request),
        {
          ...describeIdentityVersion(origin),
          // SMN's clients expect them; to Keystone's they are absent.
          min_version: "",
          version: "",
        },
      ],
    };
  });
  app.get("/v2", { config: { operation: "public" } }, async (request) => ({
    version: describe(request),
  }));
}

function startPage(origin: string, version: string): Page {
  return {
    title: `Carillon ${version}`,
    text: "This is a notification service: programs publish messages to topics, and subscribers get them by webhook, e-mail or SMS. It is used by programs and by the command line; there is nothing to log in to here.",
    links: [
      {
        label: "Description of the API (OpenAPI 3.1)",
        path: sitePathOf(origin, "/api/v2/openapi.json"),
      },
      {
        label: "Versions of the SMN API and of the identity service",
        path: sitePathOf(origin, "/v2"),
      },
      { label: "Is it ready?", path: sitePathOf(origin, "/readyz") },
    ],
  };
}
