/** Domains: those a token can be for, and those the caller manages. */

import { type Domain, filterNamed } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import { principalOf } from "../authentication.ts";
import { requestReach } from "../authorization.ts";
import type { HttpApp } from "../http-app.ts";
import type { IdentityPorts } from "./ports.ts";

const listQuery = Type.Object({ name: Type.Optional(Type.String()) });
const params = Type.Object({ domainId: Type.String() });

export function domainRoutes(app: HttpApp, ports: IdentityPorts): void {
  const { identity, administration, originOf } = ports;

  function answer(
    request: FastifyRequest<{ Querystring: { name?: string } }>,
    path: string,
    domains: readonly Domain[],
  ) {
    const origin = originOf(request);
    const { name } = request.query;
    return {
      domains: (name === undefined ? domains : filterNamed(domains, name)).map(
        (domain) => toDomainBody(domain, origin),
      ),
      links: { self: `${origin}/v3${path}`, next: null, previous: null },
    };
  }

  app.get(
    "/auth/domains",
    {
      config: { operation: "session.use" },
      schema: { querystring: listQuery },
    },
    async (request) => {
      const { userId } = principalOf(request);
      const domains = await identity.directory.listReachableDomains(userId);
      return answer(request, "/auth/domains", domains);
    },
  );

  app.get(
    "/domains",
    {
      config: { operation: "domains.read" },
      schema: { querystring: listQuery },
    },
    async (request) => {
      const { domains } = administration(requestReach(request));
      return answer(request, "/domains", await domains.list());
    },
  );

  app.get(
    "/domains/:domainId",
    { config: { operation: "domains.read" }, schema: { params } },
    async (request) => {
      const { domains } = administration(requestReach(request));
      const id = request.params.domainId;
      const domain = await identity.directory.findDomain({ id });
      if (!domain) throw domainNotFound();
      return {
        domain: toDomainBody(await domains.get(domain.id), originOf(request)),
      };
    },
  );
}

function domainNotFound(): RequestError {
  return new RequestError("IDENTITY_NOT_FOUND", "There is no such domain.");
}

function toDomainBody({ id, name, disabled }: Domain, origin: string) {
  return {
    id,
    name,
    description: "",
    enabled: !disabled,
    links: { self: `${origin}/v3/domains/${id}` },
  };
}
