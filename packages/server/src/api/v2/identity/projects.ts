/** Projects, for administrators. */

import type { Project } from "@carillon/core";
import type { Static } from "typebox";
import type { Administration } from "../../../identity/administration/administration.ts";
import { Type } from "../../../json-schema.ts";
import { principalOf } from "../../authentication.ts";
import type { HttpApp } from "../../http-app.ts";
import { failsWith } from "../../validation.ts";
import { refusals } from "../error-answers.ts";
import { domainId, id, name, Switch } from "./schemas.ts";

const ProjectBody = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    domainId: Type.String(),
    enabled: Type.Boolean(),
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

const params = Type.Object({ projectId: id });

export function projectRoutes(
  app: HttpApp,
  { projects }: Pick<Administration, "projects">,
): void {
  const tags = ["Identity"];

  app.post(
    "/projects",
    {
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
      const created = await projects.create({ ...project, domainId });
      return reply.code(201).send(toBody(created));
    },
  );

  app.get(
    "/projects",
    {
      schema: {
        summary: "Lists projects",
        tags,
        querystring: Type.Object({ domainId: Type.Optional(id) }),
        response: {
          200: Type.Object({ projects: Type.Array(ProjectBody) }),
          ...refusals,
        },
      },
    },
    async (request) => ({
      projects: (await projects.list(request.query)).map(toBody),
    }),
  );

  app.get(
    "/projects/:projectId",
    {
      schema: {
        summary: "Shows a project",
        tags,
        params,
        response: { 200: ProjectBody, ...refusals },
      },
    },
    async (request) => toBody(await projects.get(request.params.projectId)),
  );

  app.patch(
    "/projects/:projectId",
    {
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
        await projects.setEnabled(
          request.params.projectId,
          request.body.enabled,
        ),
      ),
  );

  app.delete(
    "/projects/:projectId",
    {
      schema: {
        summary: "Deletes a project that has no topics, with its access keys",
        tags,
        params,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      await projects.delete(request.params.projectId);
      return reply.code(204).send(null);
    },
  );
}

function toBody(project: Project): Static<typeof ProjectBody> {
  const { id, name, domainId, disabled } = project;
  return { id, name, domainId, enabled: !disabled };
}
