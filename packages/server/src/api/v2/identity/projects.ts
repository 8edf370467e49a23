/** Projects, for administrators and operators. */

import type { Project } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { AdministrationWithin } from "../../../identity/administration/administration.ts";
import { Type } from "../../../json-schema.ts";
import { principalOf } from "../../authentication.ts";
import { requestReach } from "../../authorization.ts";
import type { HttpApp } from "../../http-app.ts";
import { failsWith } from "../../validation.ts";
import { refusals } from "../error-answers.ts";
import { domainId, idOf, name, Switch } from "./schemas.ts";

const ProjectBody = Type.Object(
  {
    id: Type.String({ description: "Of the project" }),
    name: Type.String({ description: "Unique in its domain" }),
    domainId: Type.String({ description: "The domain it is in" }),
    enabled: Type.Boolean({ description: "False: nobody acts in it" }),
  },
  { title: "Project" },
);

const NewProject = Type.Object(
  {
    name,
    domainId: Type.Optional(domainId),
    id: Type.Optional(
      Type.String({
        pattern: "^[0-9a-f]{32}$",
        description: "Such as the project's id elsewhere; default a new one",
        ...failsWith("IDENTITY_INVALID"),
      }),
    ),
  },
  { title: "NewProject" },
);

const params = Type.Object({ projectId: idOf("Id of a project") });

export function projectRoutes(
  app: HttpApp,
  within: AdministrationWithin,
): void {
  const tags = ["Identity"];
  const projectsOf = (request: FastifyRequest) =>
    within(requestReach(request)).projects;

  app.post(
    "/projects",
    {
      config: { operation: "projects.write" },
      schema: {
        summary: "Creates a project",
        tags,
        body: NewProject,
        response: { 201: ProjectBody, ...refusals },
      },
    },
    async (request, reply) => {
      const { domainId = principalOf(request).domainId, ...project } =
        request.body;
      const created = await projectsOf(request).create({
        ...project,
        domainId,
      });
      return reply.code(201).send(toBody(created));
    },
  );

  app.get(
    "/projects",
    {
      config: { operation: "projects.read" },
      schema: {
        summary: "Lists projects",
        tags,
        querystring: Type.Object({
          domainId: Type.Optional(idOf("Only those of this domain")),
        }),
        response: {
          200: Type.Object({
            projects: Type.Array(ProjectBody, {
              description: "Those the caller reaches",
            }),
          }),
          ...refusals,
        },
      },
    },
    async (request) => ({
      projects: (await projectsOf(request).list(request.query)).map(toBody),
    }),
  );

  app.get(
    "/projects/:projectId",
    {
      config: { operation: "projects.read" },
      schema: {
        summary: "Shows a project",
        tags,
        params,
        response: { 200: ProjectBody, ...refusals },
      },
    },
    async (request) =>
      toBody(await projectsOf(request).get(request.params.projectId)),
  );

  app.patch(
    "/projects/:projectId",
    {
      config: { operation: "projects.write" },
      schema: {
        summary: "Enables or disables a project",
        description:
          "Nobody acts in a disabled project; what it has published is still delivered.",
        tags,
        params,
        body: Switch,
        response: { 200: ProjectBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await projectsOf(request).setEnabled(
          request.params.projectId,
          request.body.enabled,
        ),
      ),
  );

  app.delete(
    "/projects/:projectId",
    {
      config: { operation: "projects.write" },
      schema: {
        summary: "Deletes a project that has no topics",
        description:
          "Its access keys, templates, keys and address book go with it; what was published is kept, and its id is not used again.",
        tags,
        params,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      await projectsOf(request).delete(request.params.projectId);
      return reply.code(204).send(null);
    },
  );
}

function toBody(project: Project): Static<typeof ProjectBody> {
  const { id, name, domainId, disabled } = project;
  return { id, name, domainId, enabled: !disabled };
}
