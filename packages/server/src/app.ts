/**
 * The HTTP server: each API is a plugin with its own log-in and its own shape
 * of errors, so that neither reaches the others. What belongs to no API
 * answers as SMN does.
 */

import type {
  Clock,
  ContentSeal,
  DeliveryActions,
  Detections,
  Logger,
  Mailboxes,
  MessageImports,
  MessageLives,
  NewId,
  Protocols,
  Publisher,
  PullPublishers,
  PullSubscribers,
  ResourceTags,
  Store,
  StoredChannel,
  StoredMessages,
  StoredTemplates,
  Subscriptions,
  SubscriptionTokens,
  SubscriptionUsers,
  Templates,
  TopicAccess,
  TopicBindings,
  Topics,
} from "@carillon/core";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify, {
  type FastifyReply,
  type FastifyRequest,
  type RouteOptions,
} from "fastify";
import { auditRoutes } from "./api/audited-routes.ts";
import { guardRoutes } from "./api/authorization.ts";
import { boundUnprovenBodies } from "./api/body-budget.ts";
import { boundSchemas } from "./api/bounded-schemas.ts";
import { createBoundedServer } from "./api/bounded-server.ts";
import { allowOrigins } from "./api/cross-origin.ts";
import { createFailureLog } from "./api/failure-log.ts";
import type { HttpApp } from "./api/http-app.ts";
import { createKeystoneErrorAnswer } from "./api/identity/error-answers.ts";
import { registerIdentityApi } from "./api/identity/identity-api.ts";
import { acceptAnyBody, defaultBodyBytes } from "./api/json-body.ts";
import { apiOf, createMalformedRequests } from "./api/malformed-request.ts";
import { observeRequests } from "./api/observed-requests.ts";
import type { NotReady } from "./api/operations/health.ts";
import { registerOperationsApi } from "./api/operations/operations-api.ts";
import { createOriginOf } from "./api/origin.ts";
import { createPullErrorAnswer } from "./api/pull/error-answers.ts";
import { registerPullApi } from "./api/pull/pull-api.ts";
import {
  type ReceiversPorts,
  registerReceiversApi,
} from "./api/receivers/receivers-api.ts";
import { createSmnErrorAnswers } from "./api/smn/error-answers.ts";
import { registerSmnApi } from "./api/smn/smn-api.ts";
import type { SubscriberPorts } from "./api/subscriber/ports.ts";
import { registerSubscriberApi } from "./api/subscriber/subscriber-api.ts";
import type { BatchRunPorts } from "./api/v2/batch-runs.ts";
import { createProblemAnswer } from "./api/v2/error-answers.ts";
import type { GuardViewPorts } from "./api/v2/guards.ts";
import type { Certificates } from "./api/v2/signing-keys.ts";
import type { SmsRoutingPorts } from "./api/v2/sms-routing.ts";
import type { SubscriptionPorts } from "./api/v2/subscriptions.ts";
import { registerV2Api } from "./api/v2/v2-api.ts";
import { compileValidator, withoutOwnCompilers } from "./api/validation.ts";
import { isWebSocketRequest, WebSockets } from "./api/web-socket-upgrades.ts";
import type { ReloadedConfig } from "./config-reload.ts";
import type { DeliveryLogReader } from "./delivery-log/delivery-log.ts";
import type { EventTailer } from "./events/event-tailer.ts";
import type { AdministrationWithin } from "./identity/administration/administration.ts";
import type { AuditLog } from "./identity/audit-log.ts";
import type { Identity } from "./identity/identity.ts";
import type { Keys } from "./keys/keys.ts";
import { createLoginLog } from "./logging/login-log.ts";
import { createRequestLog } from "./logging/request-log.ts";
import type { LoginMeter } from "./metrics/login-meter.ts";
import type { MetricsText } from "./metrics/metrics-text.ts";
import type { RequestMeter } from "./metrics/request-meter.ts";
import type { Providers } from "./providers/providers.ts";
import { sandboxRoutes } from "./sandbox/api/sandbox-routes.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import { webhookRoutes } from "./sandbox/webhook-routes.ts";

/** What the routes work with; see `compose.ts` for how each is built. */
export interface AppPorts {
  readonly store: Store;
  readonly protocols: Protocols;
  readonly topics: Topics;
  readonly access: TopicAccess;
  readonly templates: Templates;
  readonly resourceTags: ResourceTags;
  readonly subscriptions: Subscriptions;
  readonly publisher: Publisher;
  readonly mailboxes: Mailboxes;
  readonly pullSubscribers: PullSubscribers;
  readonly pullPublishers: PullPublishers;
  readonly lives: MessageLives;
  readonly stored: Readonly<Record<StoredChannel, StoredMessages>>;
  /** Of all attachments of a mail, at most, as it is set now. */
  readonly maxAttachmentBytes: () => number;
  readonly storedTemplates: StoredTemplates;
  readonly imports: MessageImports;
  readonly deliveryActions: DeliveryActions;
  readonly subscriptionUsers: SubscriptionUsers;
  readonly bindings: TopicBindings;
  readonly keys: Keys;
  readonly providers: Providers;
  readonly seal: ContentSeal;
  readonly batchSender: BatchRunPorts["batchSender"];
  readonly deliveryChecks: BatchRunPorts["deliveryChecks"];
  readonly deliveryLog: DeliveryLogReader;
  readonly detections: Detections;
  readonly identity: Identity;
  readonly administration: AdministrationWithin;
  readonly audit: AuditLog;
  readonly certificates: SubscriberPorts["certificates"] & Certificates;
  readonly subscriptionTokens: SubscriptionTokens;
  readonly webhookKeys: SubscriptionPorts["webhookKeys"];
  readonly events: EventTailer;
  readonly smsGuard?: GuardViewPorts["smsGuard"];
  /** Of what texts cost. */
  readonly currency?: GuardViewPorts["currency"];
  readonly providerSettings?: SmsRoutingPorts["providerSettings"];
  readonly metricsText: MetricsText;
  readonly requests: RequestMeter;
  readonly logins: LoginMeter;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly newRequestId: NewId;
  readonly region: string;
  /**
   * The address clients know this server by. `undefined` or empty: links in
   * answers are made from the address each request was sent to.
   */
  readonly publicUrl: () => string | undefined;
  /** How long a client may take to send its request; default a minute. */
  readonly requestTimeoutMs?: number | undefined;
  /** Networks whose `X-Forwarded-…` headers hold. */
  readonly trustedProxies: readonly string[];
  /** Origins of web pages whose scripts may use the API; `*` for all. */
  readonly allowedOrigins: () => readonly string[];
  /** Shows `/metrics` to whoever sends it. */
  readonly metricsToken?: string | undefined;
  /** Whether `/metrics` is shown without credentials. */
  readonly openMetrics: boolean;
  readonly version: string;
  /** Open at once; further ones are closed as they come. */
  readonly maxConnections: number;
  /** Why the server takes no work now; `undefined` while it does. */
  readonly whyNotReady: () => NotReady | undefined;
  readonly sandbox?: Sandbox | undefined;
  /** Without it carriers cannot call. */
  readonly receivers?: ReceiversPorts | undefined;
  /**
   * Reads the configuration again and applies what can change. Absent: it is
   * the embedding program's.
   *
   * @throws ConfigError with every mistake
   */
  readonly reloadConfig?: (() => ReloadedConfig) | undefined;
  /** Called with each route as it is added. */
  readonly onRoute?: ((route: RouteOptions) => void) | undefined;
}

/**
 * Builds the HTTP server with every API. Nothing listens yet: call `listen`,
 * or `inject` in tests; the caller closes it.
 */
export function createApp(ports: AppPorts): HttpApp {
  const { sandbox, requestTimeoutMs: requestTimeout = 60_000 } = ports;
  const originOf = createOriginOf(ports.publicUrl);
  const failures = createFailureLog(ports);
  const requestLog = createRequestLog(ports);
  const loginLog = createLoginLog(ports);
  const apiPorts = { ...ports, originOf, failures, loginLog };
  const errors = createSmnErrorAnswers(apiPorts);
  // What Fastify refuses before it looks for a route, such as a path that does
  // not decode, belongs to the API all the same.
  const sendProblem = createProblemAnswer(apiPorts);
  const sendPullError = createPullErrorAnswer(apiPorts);
  const sendKeystoneError = createKeystoneErrorAnswer(apiPorts);

  const malformed = createMalformedRequests(ports);

  const app = fastify({
    clientErrorHandler: malformed.onClientError,
    genReqId: ports.newRequestId,
    bodyLimit: defaultBodyBytes,
    trustProxy: ports.trustedProxies.length > 0 && [...ports.trustedProxies],
    serverFactory: (listener) =>
      createBoundedServer(listener, malformed.refuse, {
        requestTimeout,
        headersTimeout: requestTimeout,
        // Other protocols than WebSocket are not for us: such requests are
        // answered as if they did not ask.
        shouldUpgradeCallback: isWebSocketRequest,
        // Node looks for slow clients twice a minute otherwise.
        connectionsCheckingInterval: Math.min(1000, requestTimeout),
        // Longer than load balancers keep theirs: they close first.
        keepAliveTimeout: 72_000,
      }),
    // While closing the APIs answer for themselves, in their own shapes.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      answerCommonHeaders(request, reply);
      const send = {
        v2: sendProblem,
        pull: sendPullError,
        identity: sendKeystoneError,
        smn: errors.send,
      }[apiOf(request.raw.url ?? "")];
      send(error, request, reply);
    },
    routerOptions: {
      ignoreTrailingSlash: true,
      // A URN has up to 400 characters, and more when it is escaped; what is
      // longer still must be called malformed, not unknown.
      maxParamLength: 16_384,
    },
    schemaController: withoutOwnCompilers,
    // One waits for the disk, however long that takes.
    pluginTimeout: 0,
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(compileValidator);
  // Schemas of answers describe them; a serializer for each, compiled at every
  // start, would cost more than it ever gains.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.setErrorHandler(errors.send);
  app.setNotFoundHandler(errors.sendNotFound);
  app.decorateRequest("principal", undefined);
  app.decorateRequest("signedClaim", undefined);
  app.decorateRequest("account", undefined);
  app.decorateRequest("failureCode", undefined);
  // First of all hooks: it takes the time.
  observeRequests(app, { ...ports, requestLog });
  app.addHook("onClose", async () => {
    for (const log of [requestLog, loginLog, failures]) log[Symbol.dispose]();
  });
  app.addHook("onRequest", (request, reply, done) => {
    answerCommonHeaders(request, reply);
    done();
  });
  // Preflights have no credentials.
  allowOrigins(app, ports.allowedOrigins);
  app.addHook("onRoute", boundSchemas);
  if (ports.onRoute) app.addHook("onRoute", ports.onRoute);
  guardRoutes(app, ports.identity, ports);
  acceptAnyBody(app);
  boundUnprovenBodies(app);
  auditRoutes(app, ports.audit, ports.store);
  app.server.maxConnections = ports.maxConnections;
  const webSockets = new WebSockets(ports.allowedOrigins);
  webSockets.attach(app);

  registerOperationsApi(app, ports);
  registerIdentityApi(app, apiPorts);
  registerSubscriberApi(app, apiPorts);
  registerPullApi(app, apiPorts);
  registerV2Api(app, {
    ...apiPorts,
    messages: ports.store,
    deadMessages: ports.store,
    webSockets,
    inbound: ports.store,
    optOuts: ports.store,
    attachments: ports.store,
    suppressions: ports.store,
    mailEvents: ports.store,
    gateway: ports.receivers?.gateway,
    statistics: ports.store,
    auditEntries: ports.store,
    extraRoutes: (api) => {
      if (sandbox) sandboxRoutes(api, sandbox, originOf);
    },
  });
  if (sandbox) {
    app.register(async (api: HttpApp) => webhookRoutes(api, sandbox.webhooks));
  }
  registerSmnApi(app, { ...apiPorts, statistics: ports.store });
  // Last: it waits for its secret.
  if (ports.receivers) registerReceiversApi(app, ports.receivers, ports);
  return app;
}

/** Of every answer; a route may say otherwise. */
function answerCommonHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  // Under both names: one is SMN's, one is OpenStack's.
  reply.header("x-request-id", request.id);
  reply.header("x-openstack-request-id", request.id);
  // Answers hold tokens, contacts and texts, and are what they say they are.
  reply.header("cache-control", "no-store");
  reply.header("x-content-type-options", "nosniff");
}
