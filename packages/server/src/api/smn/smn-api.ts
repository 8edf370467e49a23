/** SMN v2 under `/` and `/v2`, for clients of the cloud service. */

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

export function registerSmnApi(app: HttpApp, ports: SmnPorts): void {
  versionRoutes(app, ports);
  app.register(
    async (shared: HttpApp) => {
      protocolRoutes(shared, ports, "service.read");
      cloudServiceRoutes(shared);
    },
    { prefix: "/v2/notifications" },
  );
  app.register(
    async (own: HttpApp) => {
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
      protocolRoutes(own, ports, "topics.read");
      applicationRoutes(own);
    },
    { prefix: "/v2/:project_id/notifications" },
  );
  app.register(
    async (own: HttpApp) => {
      resourceTagRoutes(own, ports);
    },
    { prefix: "/v2/:project_id" },
  );
  app.register(
    async (own: HttpApp) => {
      subscriptionUserRoutes(own, ports);
    },
    { prefix: "/v2/:domain_id" },
  );
}
