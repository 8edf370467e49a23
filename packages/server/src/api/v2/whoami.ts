/** Who the caller is: the first thing to ask when something is refused. */

import { Type } from "../../json-schema.ts";
import { principalOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { refusals } from "./error-answers.ts";
import type { V2Ports } from "./ports.ts";
import { Role } from "./schema-parts.ts";

const Caller = Type.Object(
  {
    userId: Type.String({ description: "The caller" }),
    userName: Type.String({ description: "The caller, by name" }),
    domainId: Type.String({ description: "The caller's domain" }),
    domainName: Type.String({ description: "The caller's domain, by name" }),
    role: Role,
    projectId: Type.Optional(
      Type.String({ description: "The project of the credentials, if any" }),
    ),
    projectName: Type.Optional(
      Type.String({ description: "That project, by name" }),
    ),
    region: Type.String({ description: "The region in this server's URNs" }),
  },
  { title: "Caller" },
);

export function whoamiRoutes(app: HttpApp, { region }: V2Ports): void {
  app.get(
    "/whoami",
    {
      config: { operation: "session.use" },
      schema: {
        summary: "Tells who the caller is",
        tags: ["Service"],
        response: { 200: Caller, ...refusals },
      },
    },
    async (request) => {
      const { project, userId, userName, domainId, domainName, role } =
        principalOf(request);
      return {
        userId,
        userName,
        domainId,
        domainName,
        role,
        ...(project && { projectId: project.id, projectName: project.name }),
        region,
      };
    },
  );
}
