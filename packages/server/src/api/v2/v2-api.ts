/** Our own API under `/api/v2`. */

import {
  type AuditStore,
  type DeliveryActions,
  storedChannels,
} from "@carillon/core";
import { RequestError } from "../../errors.ts";
import type { AdministrationWithin } from "../../identity/administration/administration.ts";
import type { Keys } from "../../keys/keys.ts";
import type { ErrorAnswerPorts } from "../error-answer.ts";
import type { HttpApp } from "../http-app.ts";
import { accessRoutes } from "./access.ts";
import { auditLogRoutes } from "./audit.ts";
import { type BatchRunPorts, batchRunRoutes } from "./batch-runs.ts";
import { closeSchemas } from "./closed-schemas.ts";
import {
  type ConfigurationPorts,
  configurationRoutes,
} from "./configuration.ts";
import { deliveryRoutes } from "./deliveries.ts";
import { deliveryActionRoutes } from "./delivery-actions.ts";
import { deliveryJobRoutes } from "./delivery-jobs.ts";
import {
  type EmailSuppressionPorts,
  emailSuppressionRoutes,
} from "./email-suppressions.ts";
import { createProblemAnswer } from "./error-answers.ts";
import { type EventPorts, eventRoutes } from "./events.ts";
import { type GuardViewPorts, smsGuardRoutes } from "./guards.ts";
import { identityRoutes } from "./identity/identity-routes.ts";
import { type ImportPorts, importRoutes } from "./imports.ts";
import { type InboundPorts, inboundRoutes } from "./inbound.ts";
import { keyRoutes } from "./keys.ts";
import { type MailEventPorts, mailEventRoutes } from "./mail-events.ts";
import { messageRoutes } from "./messages.ts";
import {
  type NotifyPolicyPorts,
  notifyPolicyRoutes,
} from "./notify-policies.ts";
import { describeRoutes } from "./openapi.ts";
import { type OptOutPorts, optOutRoutes } from "./opt-outs.ts";
import type { V2Ports } from "./ports.ts";
import { problemRoutes } from "./problems.ts";
import { type ProviderPorts, providerRoutes } from "./providers.ts";
import { publishRoutes } from "./publish.ts";
import { type PullRoutesPorts, pullRoutes } from "./pull/pull-routes.ts";
import { signatureRoutes } from "./signatures.ts";
import { type Certificates, signingKeyRoutes } from "./signing-keys.ts";
import { type SmsRoutingPorts, smsRoutingRoutes } from "./sms-routing.ts";
import {
  type StoredMessagePorts,
  storedMessageRoutes,
} from "./stored/routes.ts";
import { type SubscriptionPorts, subscriptionRoutes } from "./subscriptions.ts";
import {
  type StoredTemplateRoutesPorts,
  storedTemplateRoutes,
} from "./templates/routes.ts";
import { type TopicLogPorts, topicLogRoutes } from "./topic-log.ts";
import {
  type TopicStatisticsPorts,
  topicStatisticsRoutes,
} from "./topic-statistics.ts";
import { whoamiRoutes } from "./whoami.ts";

export interface V2ApiPorts
  extends V2Ports,
    ErrorAnswerPorts,
    ImportPorts,
    InboundPorts,
    OptOutPorts,
    EmailSuppressionPorts,
    MailEventPorts,
    GuardViewPorts,
    ProviderPorts,
    SmsRoutingPorts,
    BatchRunPorts,
    StoredMessagePorts,
    TopicLogPorts,
    TopicStatisticsPorts,
    NotifyPolicyPorts,
    SubscriptionPorts,
    PullRoutesPorts,
    StoredTemplateRoutesPorts,
    ConfigurationPorts,
    EventPorts {
  readonly deliveryActions: DeliveryActions;
  readonly keys: Keys;
  readonly administration: AdministrationWithin;
  readonly certificates: Certificates;
  readonly auditEntries: Pick<AuditStore, "listAuditEntries">;
  readonly version: string;
  /** Routes of other parts of the server that stand under the same log-in. */
  readonly extraRoutes?: ((app: HttpApp) => void) | undefined;
}

export function registerV2Api(app: HttpApp, ports: V2ApiPorts): void {
  const sendProblem = createProblemAnswer(ports);
  app.register(
    async (api: HttpApp) => {
      api.setErrorHandler(sendProblem);
      api.setNotFoundHandler((request, reply) =>
        sendProblem(new RequestError("ROUTE_NOT_FOUND"), request, reply),
      );
      api.addHook("onRoute", closeSchemas);
      describeRoutes(api, ports.version);
      problemRoutes(api);
      publishRoutes(api, ports);
      messageRoutes(api, ports);
      deliveryRoutes(api, ports);
      subscriptionRoutes(api, ports);
      pullRoutes(api, ports);
      deliveryActionRoutes(api, ports);
      deliveryJobRoutes(api, ports);
      accessRoutes(api, ports);
      topicLogRoutes(api, ports);
      topicStatisticsRoutes(api, ports);
      notifyPolicyRoutes(api, ports);
      signatureRoutes(api, ports);
      providerRoutes(api, ports);
      keyRoutes(api, ports);
      inboundRoutes(api, ports);
      importRoutes(api, ports);
      eventRoutes(api, ports);
      storedTemplateRoutes(api, ports);
      optOutRoutes(api, ports);
      emailSuppressionRoutes(api, ports);
      mailEventRoutes(api, ports);
      smsGuardRoutes(api, ports);
      smsRoutingRoutes(api, ports);
      batchRunRoutes(api, ports);
      for (const channel of storedChannels) {
        storedMessageRoutes(api, channel, ports);
      }
      whoamiRoutes(api, ports);
      identityRoutes(api, ports.administration);
      signingKeyRoutes(api, ports.certificates);
      auditLogRoutes(api, ports.auditEntries);
      configurationRoutes(api, ports);
      ports.extraRoutes?.(api);
    },
    { prefix: "/api/v2" },
  );
}
