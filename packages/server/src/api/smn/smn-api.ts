/** SMN v2 under `/` and `/v2`, for clients of the cloud service. */

import type { FastifyRequest } from "fastify";
import { RequestError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Principal } from "../../identity/principal.ts";
import { createAuthenticationHook } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { applicationRoutes } from "./applications.ts";
import { associatedResourceRoutes } from "./associated-resources.ts";
import { cloudServiceRoutes } from "./cloud-services.ts";
import { detectionRoutes } from "./detection.ts";
import { filterPolicyRoutes } from "./filter-policies.ts";
import { kmsRoutes } from "./kms.ts";
import { logtankRoutes } from "./logtanks.ts";
import { notifyPolicyRoutes } from "./notify-policies.ts";
import type { SmnPorts } from "./ports.ts";
import { protocolRoutes } from "./protocols.ts";
import { publishRoutes } from "./publish.ts";
import { resourceTagRoutes } from "./resource-tags.ts";
import { smsRoutes } from "./sms.ts";
import { statisticsRoutes } from "./statistics.ts";
import {
  subscribeUsersRoutes,
  subscriptionUserRoutes,
} from "./subscription-users.ts";
import { subscriptionRoutes } from "./subscriptions.ts";
import { templateRoutes } from "./templates.ts";
import { topicAttributeRoutes } from "./topic-attributes.ts";
import { topicRoutes } from "./topics.ts";
import { versionRoutes } from "./versions.ts";

export function registerSmnApi(
  app: HttpApp,
  ports: SmnPorts & { readonly identity: Identity },
): void {
  versionRoutes(app, ports.originOf);
  app.register(
    async (shared: HttpApp) => {
      shared.addHook("preValidation", createAuthenticationHook(ports.identity));
      protocolRoutes(shared);
      cloudServiceRoutes(shared);
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
      topicAttributeRoutes(own, ports);
      associatedResourceRoutes(own, ports);
      subscriptionRoutes(own, ports);
      subscribeUsersRoutes(own, ports);
      filterPolicyRoutes(own, ports);
      detectionRoutes(own, ports);
      statisticsRoutes(own, ports);
      logtankRoutes(own, ports);
      kmsRoutes(own, ports);
      notifyPolicyRoutes(own, ports);
      templateRoutes(own, ports);
      publishRoutes(own, ports);
      smsRoutes(own, ports);
      protocolRoutes(own);
      applicationRoutes(own);
    },
    { prefix: "/v2/:project_id/notifications" },
  );
  app.register(
    async (own: HttpApp) => {
      own.addHook(
        "preValidation",
        createAuthenticationHook(ports.identity, checkProject),
      );
      resourceTagRoutes(own, ports);
    },
    { prefix: "/v2/:project_id" },
  );
  app.register(
    async (own: HttpApp) => {
      own.addHook(
        "preValidation",
        createAuthenticationHook(ports.identity, checkDomain),
      );
      subscriptionUserRoutes(own, ports);
    },
    { prefix: "/v2/:domain_id" },
  );
}

/** The path's domain is the caller's. */
function checkDomain(request: FastifyRequest, principal: Principal): void {
  const { domain_id } = request.params as { readonly domain_id: string };
  if (principal.domainId === domain_id) return;
  throw new RequestError(
    "PERMISSION_DENIED",
    "These credentials are of another domain than the path's.",
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
