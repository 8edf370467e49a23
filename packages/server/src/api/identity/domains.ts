/** The caller's domain. */

import { Type } from "../../json-schema.ts";
import { principalOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";

const listQuery = Type.Object({ name: Type.Optional(Type.String()) });

export function domainRoutes(app: HttpApp): void {
  app.get(
    "/auth/domains",
    { schema: { querystring: listQuery } },
    async (request) => {
      const { domainId: id, domainName } = principalOf(request);
      const { name = domainName } = request.query;
      return {
        domains: name === domainName ? [{ id, name, enabled: true }] : [],
        links: {},
      };
    },
  );
}
