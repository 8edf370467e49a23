/** The catalogue: where each service is, by the type clients look for. */

import { hash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { principalOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import type { IdentityPorts } from "./ports.ts";

/**
 * @param projectId absent for credentials without a project: then only what
 * needs none is there
 */
export function describeCatalog(
  origin: string,
  region: string,
  projectId: string | undefined,
) {
  const service = (type: string, name: string, url: string) => ({
    id: stableId(type),
    type,
    name,
    endpoints: [
      {
        id: stableId(`${type} ${region}`),
        interface: "public",
        region,
        region_id: region,
        url,
      },
    ],
  });
  const identity = service("identity", "keystone", `${origin}/v3`);
  if (projectId === undefined) return [identity];
  return [
    identity,
    // OpenStack's client appends the project by itself, Go's does not.
    service("smn", "smn", `${origin}/v2`),
    service("smnv2", "smnv2", `${origin}/v2/${projectId}`),
  ];
}

export function catalogRoutes(app: HttpApp, ports: IdentityPorts): void {
  const { originOf, region } = ports;

  app.get(
    "/auth/catalog",
    { config: { operation: "session.use" } },
    async (request: FastifyRequest) => {
      const origin = originOf(request);
      return {
        catalog: describeCatalog(
          origin,
          region,
          principalOf(request).project?.id,
        ),
        links: { self: `${origin}/v3/auth/catalog` },
      };
    },
  );
}

/** The same at each start and on each node. */
function stableId(name: string): string {
  return hash("sha256", `catalog ${name}`, "hex").slice(0, 32);
}
