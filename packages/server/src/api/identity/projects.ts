/** Projects that the caller may act in; to it there are no others. */

import { filterNamed, type Project } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import { principalOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import type { IdentityPorts } from "./ports.ts";

const listQuery = Type.Object({
  name: Type.Optional(Type.String()),
  domain_id: Type.Optional(Type.String()),
});
const userParams = Type.Object({ user_id: Type.String() });
const projectParams = Type.Object({ project_id: Type.String() });

export function projectRoutes(app: HttpApp, ports: IdentityPorts): void {
  const { identity, originOf, region } = ports;

  async function list(
    request: FastifyRequest<{ Querystring: Static<typeof listQuery> }>,
    path: string,
  ) {
    const { name, domain_id } = request.query;
    const { userId, project: own, isKey } = principalOf(request);
    const { directory } = identity;
    const domain =
      domain_id === undefined
        ? undefined
        : await directory.findDomain({ id: domain_id });
    const isUnknown = domain_id !== undefined && domain === undefined;
    const reachable = isUnknown
      ? []
      : await directory.listReachable(userId, domain?.id);
    // SDKs go on in the project they find here.
    const all = isKey
      ? reachable.filter(({ id }) => id === own?.id)
      : reachable;
    const named = name === undefined ? [] : filterNamed(all, name);
    // In the cloud each region has a project of its own name, by which some
    // clients find the project to work in.
    const isRegion = name === region && named.length === 0;
    const found =
      name === undefined
        ? all
        : isRegion
          ? all.filter((project) => project.id === own?.id)
          : named;
    const origin = originOf(request);
    return {
      projects: found.map((project) => toProjectBody(project, origin)),
      links: { self: `${origin}/v3${path}`, next: null, previous: null },
    };
  }

  app.get(
    "/projects",
    {
      config: { operation: "session.use" },
      schema: { querystring: listQuery },
    },
    async (request) => await list(request, "/projects"),
  );

  app.get(
    "/auth/projects",
    {
      config: { operation: "session.use" },
      schema: { querystring: listQuery },
    },
    async (request) => await list(request, "/auth/projects"),
  );

  app.get(
    "/users/:user_id/projects",
    {
      config: { operation: "session.use" },
      schema: { params: userParams, querystring: listQuery },
    },
    async (request) => {
      const { user_id } = request.params;
      if (user_id !== principalOf(request).userId) {
        throw new RequestError(
          "PERMISSION_DENIED",
          "These credentials are of another user than the path's.",
        );
      }
      return await list(request, `/users/${user_id}/projects`);
    },
  );

  app.get(
    "/projects/:project_id",
    { config: { operation: "session.use" }, schema: { params: projectParams } },
    async (request) => {
      const { userId } = principalOf(request);
      const project = await identity.directory.findReachable(
        userId,
        request.params.project_id,
      );
      if (!project) {
        throw new RequestError(
          "ROUTE_NOT_FOUND",
          "Could not find that project.",
        );
      }
      return { project: toProjectBody(project, originOf(request)) };
    },
  );
}

function toProjectBody(project: Project, origin: string) {
  return {
    id: project.id,
    name: project.name,
    domain_id: project.domainId,
    parent_id: project.domainId,
    is_domain: false,
    enabled: true,
    description: "",
    links: { self: `${origin}/v3/projects/${project.id}` },
  };
}
