/** SMN v2 under `/` and `/v2`, for clients of the cloud service. */

import type { FastifyRequest } from "fastify";
import { RequestError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Principal } from "../../identity/principal.ts";
import { createAuthenticationHook } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import type { SmnPorts } from "./ports.ts";
import { protocolRoutes } from "./protocols.ts";
import { publishRoutes } from "./publish.ts";
import { smsRoutes } from "./sms.ts";
import { subscriptionRoutes } from "./subscriptions.ts";
import { topicRoutes } from "./topics.ts";
import { versionRoutes } from "./versions.ts";

export function smnFace(
  app: HttpApp,
  ports: SmnPorts & { readonly identity: Identity },
): void {
  versionRoutes(app, ports.originOf);
  app.register(
    async (shared: HttpApp) => {
      shared.addHook("preValidation", createAuthenticationHook(ports.identity));
      protocolRoutes(shared);
    },
    { prefix: "/v2/notifications" },
  );
  app.register(
    async (own: HttpApp) => {
      own.addHook(
        "preValidation",
        createAuthenticationHook(ports.identity, checkProject),
      );
      topicRoutes(own, ports);
      subscriptionRoutes(own, ports);
      publishRoutes(own, ports);
      smsRoutes(own, ports);
      protocolRoutes(own);
    },
    { prefix: "/v2/:project_id/notifications" },
  );
}

/** The path's project is the caller's. */
function checkProject(request: FastifyRequest, principal: Principal): void {
  const { project_id } = request.params as { readonly project_id: string };
  if (principal.project?.id === project_id) return;
  throw new RequestError(
    "PERMISSION_DENIED",
    principal.project
      ? "These credentials are for another project than the path's."
      : "These credentials are not scoped to a project: log in with a project scope.",
  );
}
