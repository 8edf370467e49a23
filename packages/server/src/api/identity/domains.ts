/** The caller's domain. */

import { Type } from "../../json-schema.ts";
import { principalOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import type { IdentityPorts } from "./ports.ts";

const listQuery = Type.Object({ name: Type.Optional(Type.String()) });

export function domainRoutes(
  app: HttpApp,
  { identity }: Pick<IdentityPorts, "identity">,
): void {
  app.get(
    "/auth/domains",
    {
      config: { operation: "session.use" },
      schema: { querystring: listQuery },
    },
    async (request) => {
      const { domainId: id, domainName: name } = principalOf(request);
      const asked = request.query.name;
      const isAsked =
        asked === undefined ||
        (await identity.directory.findDomain({ name: asked }))?.id === id;
      return {
        domains: isAsked ? [{ id, name, enabled: true }] : [],
        links: {},
      };
    },
  );
}
