/**
 * `GET /` and `GET /v2`: which versions there are. No log-in needed. At `/`
 * stands that of the identity service too: clients whose address for log-in
 * lacks `/v3` look for it there.
 */

import type { FastifyRequest } from "fastify";
import type { HttpApp } from "../http-app.ts";
import { describeIdentityVersion } from "../identity/version.ts";
import type { OriginOf } from "../origin.ts";

export function versionRoutes(app: HttpApp, originOf: OriginOf): void {
  const describe = (request: FastifyRequest) => ({
    id: "v2",
    links: [{ href: `${originOf(request)}/v2`, rel: "self" }],
    min_version: "",
    status: "CURRENT",
    updated: "2018-09-19T00:00:00Z",
    version: "",
  });

  app.get("/", { config: { operation: "public" } }, async (request) => ({
    versions: [
      describe(request),
      {
        ...describeIdentityVersion(originOf(request)),
        // SMN's clients expect them; to Keystone's they are absent.
        min_version: "",
        version: "",
      },
    ],
  }));
  app.get("/v2", { config: { operation: "public" } }, async (request) => ({
    version: describe(request),
  }));
}
