/** `GET /v3`: what clients ask before anything else. No log-in needed. */

import type { HttpApp } from "../http-app.ts";
import type { IdentityPorts } from "./ports.ts";

/** As Keystone describes its version in `GET /` and `GET /v3`. */
export function describeIdentityVersion(origin: string) {
  return {
    id: "v3.14",
    status: "stable",
    updated: "2020-04-07T00:00:00Z",
    links: [{ rel: "self", href: `${origin}/v3/` }],
    "media-types": [
      {
        base: "application/json",
        type: "application/vnd.openstack.identity-v3+json",
      },
    ],
  };
}

export function versionRoutes(app: HttpApp, { originOf }: IdentityPorts): void {
  app.get("/", { config: { operation: "public" } }, async (request) => ({
    version: describeIdentityVersion(originOf(request)),
  }));
}
