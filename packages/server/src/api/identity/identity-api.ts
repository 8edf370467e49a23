/** The identity service under `/v3`: as much of Keystone as clients use. */

import { RequestError } from "../../errors.ts";
import type { ErrorAnswerPorts } from "../error-answer.ts";
import type { HttpApp } from "../http-app.ts";
import { catalogRoutes } from "./catalog.ts";
import { domainRoutes } from "./domains.ts";
import { createKeystoneErrorAnswer } from "./error-answers.ts";
import type { IdentityPorts } from "./ports.ts";
import { projectRoutes } from "./projects.ts";
import { regionRoutes } from "./regions.ts";
import { loginRoutes, tokenRoutes } from "./tokens.ts";
import { userRoutes } from "./users.ts";
import { versionRoutes } from "./version.ts";

export function registerIdentityApi(
  app: HttpApp,
  ports: IdentityPorts & ErrorAnswerPorts,
): void {
  const sendError = createKeystoneErrorAnswer(ports);
  app.register(
    async (api: HttpApp) => {
      api.setErrorHandler(sendError);
      api.setNotFoundHandler((request, reply) =>
        sendError(new RequestError("ROUTE_NOT_FOUND"), request, reply),
      );
      versionRoutes(api, ports);
      loginRoutes(api, ports);
      tokenRoutes(api, ports);
      catalogRoutes(api, ports);
      projectRoutes(api, ports);
      domainRoutes(api, ports);
      userRoutes(api, ports);
      regionRoutes(api, ports);
    },
    { prefix: "/v3" },
  );
}
