/** Users: oneself, and those the caller manages. */

import type { User } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { principalOf } from "../authentication.ts";
import { reachWith, requestReach } from "../authorization.ts";
import type { HttpApp } from "../http-app.ts";
import type { IdentityPorts } from "./ports.ts";

const listQuery = Type.Object({
  name: Type.Optional(Type.String()),
  domain_id: Type.Optional(Type.String()),
});
const params = Type.Object({ user_id: Type.String() });

export function userRoutes(app: HttpApp, ports: IdentityPorts): void {
  const { identity, administration, originOf } = ports;

  app.get(
    "/users",
    {
      config: { operation: "users.read" },
      schema: { querystring: listQuery },
    },
    async (request) => {
      const { users } = administration(requestReach(request));
      const { name, domain_id: id } = request.query;
      const origin = originOf(request);
      const domain = id === undefined ? undefined : { id };
      const domainId =
        domain && ((await identity.directory.findDomain(domain))?.id ?? id);
      const found = await users.list({ name, domainId });
      return {
        users: found.map((user) => toUserBody(user, origin)),
        links: { self: `${origin}/v3/users`, next: null, previous: null },
      };
    },
  );

  app.get(
    "/users/:user_id",
    { config: { operation: "session.use" }, schema: { params } },
    async (request) => {
      const { user_id } = request.params;
      const isOwn = user_id === principalOf(request).userId;
      const { users } = administration(
        isOwn ? requestReach(request) : reachWith(request, "users.read"),
      );
      return { user: toUserBody(await users.get(user_id), originOf(request)) };
    },
  );
}

function toUserBody({ id, name, domainId, disabled }: User, origin: string) {
  return {
    id,
    name,
    domain_id: domainId,
    enabled: !disabled,
    password_expires_at: null,
    options: {},
    links: { self: `${origin}/v3/users/${id}` },
  };
}
