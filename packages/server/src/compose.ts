/**
 * Builds the service from its ports: the same for the real process and for
 * tests, which bring another store, clock and channels. Long and flat on
 * purpose; what is built last is closed first.
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { LazyPart, WebhookKeys } from "@carillon/channels";
import {
  type BatchSender,
  CarillonError,
  type Channel,
  type Clock,
  createBatchSender,
  createDeliveryActions,
  createDeliveryChecks,
  createDetections,
  createEngine,
  createInboundIntake,
  createJobRunner,
  createMailboxes,
  createMessageImports,
  createProtocols,
  createPullPublishers,
  createPullSubscribers,
  createResourceTags,
  createSteadyClock,
  createStoredMessages,
  createSubscriptions,
  createSubscriptionUsers,
  createTemplates,
  createTimeOrderedIds,
  createTopicAccess,
  createTopicBindings,
  createTopics,
  type DeliveryChecks,
  type DeliveryListener,
  defaultRetryPolicy,
  EndpointHealth,
  type Engine,
  EventPublisher,
  endReportWaits,
  errorCatalogue,
  IntervalTask,
  kindOf,
  type Logger,
  OutcomeWaits,
  orAborted,
  type Probe,
  type ProjectId,
  type PullChannel,
  parseInboundBinding,
  type Store,
  type StoredChannel,
  type StoredMessages,
  type StoredTemplates,
  smnRetryPolicy,
  storedChannels,
} from "@carillon/core";
import { createEmbeddedDispatcher } from "@carillon/dispatch";
import { type Gateway, ProviderHealth } from "@carillon/gateway";
import type { HttpApp } from "./api/http-app.ts";
import type { NotReady } from "./api/operations/health.ts";
import type { EmailEventPorts } from "./api/receivers/email-events.ts";
import type { AppPorts } from "./app.ts";
import {
  batchModeOf,
  batchRetriesOfConfig,
  deliveryCheckOf,
  idleFromOf,
} from "./batch-settings.ts";
import { ConfigError } from "./config-error.ts";
import { variableOf } from "./config-schema.ts";
import { DeliveryLog } from "./delivery-log/delivery-log.ts";
import { EventTailer } from "./events/event-tailer.ts";
import { createAdministration } from "./identity/administration/administration.ts";
import { createAuditLog } from "./identity/audit-log.ts";
import {
  bootstrapIdentity,
  type IdentityCredentials,
} from "./identity/bootstrap.ts";
import { createIdentity, type Identity } from "./identity/identity.ts";
import { createHashLimit } from "./identity/passwords.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import { createContentSeal } from "./keys/content-seal.ts";
import { openKeys } from "./keys/keys.ts";
import type { LiveSettings } from "./live-settings.ts";
import { AttemptLog } from "./logging/attempt-log.ts";
import { messageLivesOf } from "./message-lives.ts";
import { DeliveryMeter } from "./metrics/delivery-meter.ts";
import { LoginMeter } from "./metrics/login-meter.ts";
import {
  createMetricsText,
  type MetricsPorts,
  type MetricsText,
} from "./metrics/metrics-text.ts";
import { QueueMeter } from "./metrics/queue-meter.ts";
import { RequestMeter } from "./metrics/request-meter.ts";
import { openProviderPauses } from "./providers/provider-pauses.ts";
import { createProviders } from "./providers/providers.ts";
import { accountSecrets } from "./pull/account-secrets.ts";
import { SettledMessages } from "./pull/settled-messages.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import type { SmsGuard } from "./sms-guard.ts";
import { logRouterErrors } from "./sms-router.ts";
import type { CodeProviders } from "./sms-settings.ts";
import { watchStore } from "./store-health.ts";
import { storedRulesOf } from "./stored-rules.ts";
import { createSubscriptionTokens } from "./subscription-tokens.ts";
import {
  openStoredTemplates,
  type TemplateParts,
} from "./templates/stored-templates.ts";
import {
  addProviders,
  forwardReceipts,
  forwardTexts,
  prepareGateway,
} from "./text-messages.ts";
import { version } from "./version.ts";

/** What the service stands on. Whoever made these closes them. */
export interface ServicePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 up to 1; spreads out retries. */
  readonly random: () => number;
  /** 32 bytes that secrets in the store are encrypted under. */
  readonly key: Uint8Array;
  readonly channels: readonly (Channel | PullChannel)[];
  /** Without providers of the configuration; it is started here. */
  readonly gateway: Gateway;
  /** Of the program that embeds the service. Default: it brings none. */
  readonly codeProviders?: CodeProviders | undefined;
  /** Absent: the gateway has none. */
  readonly smsGuard?: SmsGuard | undefined;
  readonly sandbox?: Sandbox | undefined;
  /** Of templates of stored messages. */
  readonly templates?: TemplateParts | undefined;
  /** Absent: nobody reports on mails over HTTP. */
  readonly emailEvents?: EmailEventPorts | undefined;
  /** Makes the request of a detection. */
  readonly probe: Probe;
  /**
   * An abort of the signal lets the URL pass unchecked.
   *
   * @throws CarillonError ENDPOINT_FORBIDDEN
   */
  readonly checkTarget: (url: string, signal: AbortSignal) => Promise<void>;
  /** The same as far as it is known without a name server. */
  readonly checkTargetNow: (url: string) => void;
  readonly certificates: AppPorts["certificates"];
  readonly publicUrl: AppPorts["publicUrl"];
  /**
   * Called at the first start, once the service listens. Only when it has
   * resolved is there an identity: a start that fails before makes another.
   */
  readonly onCredentials: (credentials: IdentityCredentials) => Promise<void>;
  /** Called after users, access keys or what they belong to changed. */
  readonly onIdentityChanged: () => Promise<void>;
  /** Lines the logger could not write since the start. */
  readonly droppedLogLines: MetricsPorts["droppedLogLines"];
  readonly diskUse?: MetricsPorts["diskUse"];
  readonly onRoute?: AppPorts["onRoute"];
  readonly requestTimeoutMs?: AppPorts["requestTimeoutMs"];
  readonly reloadConfig?: AppPorts["reloadConfig"];
}

/** All of the service but the socket it listens on. */
export interface Service extends AsyncDisposable {
  /**
   * The HTTP server with every API, which is built when it is first asked for:
   * programs that embed the service may never listen. It is closed with the
   * service.
   *
   * @throws CarillonError SHUTTING_DOWN once the service closes
   */
  openApp(): Promise<HttpApp>;
  /** What `/metrics` shows. */
  readonly metricsText: MetricsText;
  readonly engine: Engine;
  /** The project that the first start made. */
  readonly projectId: ProjectId;
  /** Stands in the path of provider webhooks. */
  readonly receiverSecret: string;
  readonly identity: Identity;
  readonly stored: Readonly<Record<StoredChannel, StoredMessages>>;
  readonly storedTemplates: StoredTemplates;
  readonly batchSender: Pick<BatchSender, "run">;
  readonly deliveryChecks: Pick<DeliveryChecks, "run">;
  /** Of a first start. */
  readonly credentials: IdentityCredentials | undefined;
  /** Variables that preset an identity which is there: they change nothing. */
  readonly ignoredPresets: readonly string[];
  /**
   * Hands over the credentials of a first start, and begins to deliver.
   *
   * @throws the signal's reason, unless the service runs by then
   */
  start(): Promise<void>;
  /** See {@link CloseOptions}; idempotent. */
  close(options?: CloseOptions): Promise<void>;
}

/** How a start goes. */
export interface StartOptions {
  /** An abort closes what was opened, and the start throws its reason. */
  readonly signal?: AbortSignal | undefined;
  /** The service will listen: its app is built while the disk is waited for. */
  readonly withApp?: boolean | undefined;
}

/** How a service stops. */
export interface CloseOptions {
  /**
   * An abort ends the wait for what is under way, as it ends by itself after
   * 7 s: connections of clients are closed, attempts are interrupted. Counts
   * also in a call while the service closes already.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What is under way gets this long to finish when closing. */
const drainDeadlineMs = 7000;

/** Between two looks for mails whose reports are not waited for any more. */
const reportDeadlineSeconds = 600;

/** How long the change feed is kept, and how many transactions of it. */
const changesKeptMs = 24 * 3_600_000;
const changesKept = 200_000;

/** Between two looks for what waits for a batch sender that is off. */
const leftBehindSeconds = 60;

/** Clients get this long to finish their requests when closing. */
const requestGraceMs = 1500;

/**
 * @throws CarillonError STORAGE_UNUSABLE, ConfigError, the signal's reason; then
 * nothing is left open
 */
export async function compose(
  ports: ServicePorts,
  settings: LiveSettings,
  { signal, withApp = false }: StartOptions = {},
): Promise<Service> {
  /** At the start; what may change is read from the settings. */
  const config = settings.get();
  const { logger, gateway, channels, key } = ports;
  // Whatever is kept as an instant and waited for goes by the steady clock;
  // what people and their programs sign and see goes by the machine's.
  const wallClock = ports.clock;
  const clock = createSteadyClock(wallClock);
  const protocols = createProtocols(
    channels.flatMap((channel) => channel.protocols),
  );
  const lives = messageLivesOf(config, protocols);
  const { region } = config;
  /** Aborted when the service begins to close. */
  const closing = new AbortController();
  /** Aborted when what is under way is not waited for any more. */
  const abandoning = new AbortController();
  await using opened = new AsyncDisposableStack();

  const randomHex = (n: number) => randomBytes(n).toString("hex");
  const newId = createTimeOrderedIds(() => clock.now(), randomHex);
  const newMessageId = newId;
  const subscriptionTokens = createSubscriptionTokens(key);
  const health = opened.use(watchStore(ports));
  const { store } = health;
  const audit = opened.use(createAuditLog({ store, clock: wallClock, logger }));

  const dispatcher = createEmbeddedDispatcher();
  opened.defer(() => dispatcher.close());
  const topics = createTopics(
    { store, clock, newId },
    { region, quota: () => settings.get().topicsPerProject },
  );
  const keys = opened.use(
    await orAborted(openKeys({ store, key, clock, logger }), signal),
  );
  const seal = createContentSeal({ store, keys });
  const deliveryLog = opened.use(
    new DeliveryLog({
      folder: join(config.data, "logs"),
      store,
      protocols,
      logger,
    }),
  );
  const deliveries = new DeliveryMeter(protocols);
  const attemptLog = opened.use(new AttemptLog({ logger, clock, protocols }));
  const endpointHealth = opened.use(
    new EndpointHealth({
      store,
      clock,
      logger,
      kindOf: (protocol) => kindOf(channels, protocol),
    }),
  );
  await orAborted(endpointHealth.start(), signal);
  const outcomeWaits = opened.use(new OutcomeWaits(clock));
  const batchSender = createBatchSender({
    store,
    release: (reason, limit) => engine.release(reason, limit),
    clock,
    logger,
    modeOf: (channel) => batchModeOf(settings.get(), channel),
  });
  const engine = createEngineOf(
    {
      store,
      topics,
      dispatcher,
      channels,
      protocols,
      clock,
      logger,
      listener: listenWith([
        deliveries,
        attemptLog,
        deliveryLog,
        endpointHealth,
        outcomeWaits,
        batchSender,
      ]),
      seal,
      random: ports.random,
      newId,
      newMessageId,
      checkStatusUrl: ports.checkTargetNow,
      smsProviders: () => [...gateway.providers.keys()],
    },
    {
      retryPolicy: {
        ...(config.retryProfile === "smn"
          ? smnRetryPolicy
          : defaultRetryPolicy),
        maxRetryAfterMs: config.maxRetryAfterSeconds * 1000,
      },
      rangeSize: config.rangeSize,
      maxInFlight: config.maxInFlight,
      laneInFlight: config.laneInFlight,
      slowAfterMs: config.slowAfterMs,
      leaseMs: config.leaseMs,
      lives,
      batchRetriesOf: (protocol) =>
        batchRetriesOfConfig(settings.get(), protocol),
      idleFrom: (facts) => idleFromOf(settings.get(), facts),
      deadLetterDays: () => settings.get().pull.deadLetterDays,
    },
  );
  const subscriptions = createSubscriptions(
    {
      store,
      topics,
      dispatcher,
      notices: engine.notices,
      clock,
      newId,
      newMessageId,
      newMailboxId: newId,
      lives,
      tokens: subscriptionTokens,
      hash: createKeyedHash(key, "wrong-code"),
      protocols,
      kindOf: (protocol) => kindOf(channels, protocol),
      checkTarget: (url) => ports.checkTarget(url, closing.signal),
      logger,
    },
    {
      quota: () => settings.get().subscriptionsPerTopic,
      limitConfirmations: () => settings.get().limitConfirmations,
      mailboxQuota: () => settings.get().pull.mailboxQuota,
    },
  );
  const queueMeter = new QueueMeter();
  const settledMessages = opened.use(
    new SettledMessages({ store, meter: deliveries, deliveryLog, logger }),
  );
  const mailboxes = opened.use(
    createMailboxes(
      {
        store,
        seal,
        protocols,
        clock,
        logger,
        random: ports.random,
        onEvent: (event, messages) => queueMeter.note(event, messages),
        onSettled: (messages) => settledMessages.onSettled(messages),
      },
      () => settings.get().pull,
    ),
  );
  const pullSubscribers = createPullSubscribers(
    {
      store,
      topics,
      subscriptions,
      mailboxes,
      clock,
      newId,
      secrets: accountSecrets,
    },
    { mailboxQuota: () => settings.get().pull.mailboxQuota },
  );
  const pullPublishers = createPullPublishers({
    store,
    topics,
    engine,
    clock,
    newId,
    secrets: accountSecrets,
  });
  await orAborted(engine.recover(), signal);
  let isDelivering = false;
  /** Texts go on that waited for a provider. */
  const resumeTexts = () => {
    if (!isDelivering) return;
    engine.makeDue("paused").catch((error: unknown) => {
      logger.error("paused_texts_wait", { error });
    });
  };
  const pauses = opened.use(
    await orAborted(
      openProviderPauses({
        store,
        clock: wallClock,
        logger,
        onChanged: (paused) => {
          const names = new Set(paused.map(({ provider }) => provider));
          const isResumed = [...gateway.paused].some((it) => !names.has(it));
          gateway.paused = names;
          if (isResumed) resumeTexts();
        },
      }),
      signal,
    ),
  );
  const actionRules = {
    lives,
    pullProtocols: protocols.all
      .map(({ name }) => name)
      .filter((name) => kindOf(channels, name) === "pull"),
  };
  const jobs = createJobRunner(
    {
      store,
      dispatcher,
      clock,
      logger,
      random: ports.random,
      newId,
      rules: actionRules,
      onCancelled: (id) => outcomeWaits.onCancelled(id),
    },
    { leaseMs: config.leaseMs },
  );
  await orAborted(jobs.recover(), signal);
  opened.defer(async () => {
    const timer = clock.setTimer(drainDeadlineMs, () => abandoning.abort());
    await jobs.drain();
    await engine.drain({ signal: abandoning.signal });
    timer.cancel();
  });

  const deliveryChecks = createDeliveryChecks({
    store,
    clock,
    logger,
    askCarriers: (withinMs) => engine.askCarriers(withinMs),
    settings: () => deliveryCheckOf(settings.get()),
  });
  const intervalTasks = [
    ...storedChannels.map((channel) => ({
      name: `${channel}-batch`,
      intervalSeconds: () => {
        const { enabled, intervalSeconds } = batchModeOf(
          settings.get(),
          channel,
        );
        return enabled ? intervalSeconds : leftBehindSeconds;
      },
      run: () => batchSender.release(channel),
    })),
    {
      name: "delivery-check",
      intervalSeconds: () => settings.get().sms.deliveryCheck.intervalSeconds,
      run: async () => void (await deliveryChecks.endIdle()),
    },
    {
      name: "mail-report-deadline",
      intervalSeconds: () => reportDeadlineSeconds,
      run: async () =>
        void (await endReportWaits({
          store,
          clock,
          logger,
          days: () => settings.get().email.reportDays,
        })),
    },
  ].map((steps) => new IntervalTask({ store, clock, logger }, steps));
  opened.defer(async () => {
    await Promise.all(intervalTasks.map((task) => task.stop()));
  });
  /** At once where batch mode is off; what is being stored by now, later. */
  const releaseLeftBehind = () => {
    if (!isDelivering) return;
    for (const channel of storedChannels) {
      if (batchModeOf(settings.get(), channel).enabled) continue;
      batchSender.release(channel).catch((error: unknown) => {
        logger.error("batch_left_behind_waits", { channel, error });
      });
    }
  };
  settings.onChange(() => () => {
    for (const task of intervalTasks) task.replan();
    releaseLeftBehind();
  });

  const eventPublisher = new EventPublisher(
    {
      store,
      dispatcher,
      clock,
      logger,
      random: ports.random,
      seal,
      newMessageId,
      lives,
      region,
      protocols,
      owner: newId(),
    },
    { keepMs: changesKeptMs, keepBatches: changesKept },
  );
  opened.defer(() => eventPublisher.stop());
  const eventTailer = opened.use(
    new EventTailer({
      store,
      clock,
      logger,
      random: ports.random,
      region,
      protocols,
    }),
  );

  const hashes = createHashLimit();
  // Hashes a password and waits for the disk; the app is built meanwhile.
  const bootstrapping = bootstrapIdentity(
    {
      store,
      newId,
      clock: wallClock,
      hashes,
      key,
    },
    config,
  );
  const identity = opened.use(
    createIdentity({
      store,
      clock: wallClock,
      logger,
      hashes,
      key,
      publicUrl: ports.publicUrl,
    }),
  );

  const detections = opened.use(
    createDetections({
      topics,
      protocols,
      store,
      newId,
      probe: ports.probe,
      stopped: closing.signal,
      logger,
    }),
  );

  const requests = new RequestMeter();
  const logins = new LoginMeter();
  const metricsText = createMetricsText({
    store,
    clock,
    engineStatus: () => engine.status(),
    mailboxStatus: () => mailboxes.status(),
    queue: queueMeter,
    requests,
    deliveries,
    logins,
    events: eventTailer,
    smsGuard: ports.smsGuard,
    droppedLogLines: ports.droppedLogLines,
    diskUse: ports.diskUse,
    version,
  });

  const deliveryActions = createDeliveryActions({
    store,
    topics,
    dispatcher,
    clock,
    newId,
    rules: actionRules,
    protocols,
    onJob: () => jobs.wake(),
    onCancelled: (id, target) => outcomeWaits.onCancelled(id, target),
  });
  const storedRules = storedRulesOf(() => settings.get(), lives);
  const storedTemplates = openStoredTemplates(
    {
      store,
      clock: wallClock,
      settings,
      mailRules: { protocols, ...storedRules.email },
    },
    ports.templates,
  );
  const storedOf = (channel: StoredChannel) =>
    createStoredMessages({
      channel,
      store,
      direct: engine.direct,
      actions: deliveryActions,
      templates: storedTemplates,
      waits: outcomeWaits,
      protocols,
      clock,
      rules: storedRules[channel],
    });
  const stored = { sms: storedOf("sms"), email: storedOf("email") };

  let notReady: NotReady | undefined = {
    reason: "STARTING",
    message: "The service is starting",
  };
  const appPorts: AppPorts = {
    store,
    protocols,
    topics,
    access: createTopicAccess({ store, topics }),
    templates: createTemplates(
      {
        store,
        clock,
        newId,
        protocols,
      },
      { quota: () => settings.get().templatesPerProject },
    ),
    resourceTags: createResourceTags(
      { store },
      { region, quota: () => settings.get().tagsPerTopic },
    ),
    subscriptions,
    publisher: engine.publisher,
    mailboxes,
    pullSubscribers,
    pullPublishers,
    lives,
    deliveryActions,
    stored,
    maxAttachmentBytes: () => settings.get().email.maxAttachmentBytes,
    storedTemplates,
    imports: createMessageImports({
      store,
      direct: engine.direct,
      protocols,
      clock,
      newMessageId,
      lives,
      rules: storedRules,
    }),
    subscriptionUsers: createSubscriptionUsers({
      store,
      protocols,
      subscriptions,
      clock,
      newId,
    }),
    bindings: createTopicBindings({ store, topics, clock, newId }),
    keys,
    providers: createProviders({
      gateway,
      health: new ProviderHealth(gateway, { clock: wallClock }),
      pauses,
      clock: wallClock,
      settings: () => settings.get().sms.providers,
    }),
    seal,
    batchSender,
    deliveryChecks,
    deliveryLog,
    detections,
    identity,
    audit,
    administration: createAdministration({
      store,
      identity,
      clock: wallClock,
      newId,
      keys,
      hashes,
      key,
      onChanged: ports.onIdentityChanged,
    }),
    certificates: ports.certificates,
    subscriptionTokens,
    webhookKeys: new WebhookKeys(key),
    events: eventTailer,
    receivers: {
      gateway,
      secret: bootstrapping.then(({ receiverSecret }) => receiverSecret),
      emailEvents: ports.emailEvents,
    },
    smsGuard: ports.smsGuard?.guard,
    currency: () => gateway.policy?.data.currency,
    providerSettings: () => settings.get().sms.providers,
    metricsText,
    requests,
    logins,
    logger,
    clock,
    newRequestId: newId,
    region,
    publicUrl: ports.publicUrl,
    trustedProxies: config.trustedProxies,
    allowedOrigins: () => settings.get().allowedOrigins,
    metricsToken: config.metricsToken,
    openMetrics: config.openMetrics,
    version,
    maxConnections: config.maxConnections,
    whyNotReady: () => notReady ?? toNotReady(health.failure()),
    sandbox: ports.sandbox,
    onRoute: ports.onRoute,
    requestTimeoutMs: ports.requestTimeoutMs,
    reloadConfig: ports.reloadConfig,
  };
  const appPart = new LazyPart(() => buildApp(appPorts, settings), closeApp);
  const openApp = () => {
    if (closing.signal.aborted) throw new CarillonError("SHUTTING_DOWN");
    return appPart.get();
  };
  const appOpening = withApp ? appPart.get() : undefined;
  // A start that fails before it waits for it says why by itself.
  appOpening?.catch(() => {});
  async function closeApp(app: HttpApp): Promise<void> {
    const closed = app.close();
    // Without it a client that sends its body byte by byte holds up the end.
    const endRequests = () => app.server.closeAllConnections();
    const timer = clock.setTimer(requestGraceMs, endRequests);
    abandoning.signal.addEventListener("abort", endRequests, { once: true });
    if (abandoning.signal.aborted) endRequests();
    await closed;
    timer.cancel();
    abandoning.signal.removeEventListener("abort", endRequests);
  }
  opened.defer(async () => {
    closing.abort();
    outcomeWaits[Symbol.dispose]();
    eventTailer.endAll();
    // What waits for messages is answered now, so that the server can close.
    mailboxes.drain();
    notReady = toNotReady(new CarillonError("SHUTTING_DOWN"));
    await appPart.close();
  });
  const [{ projectId, receiverSecret, created, ...bootstrapped }] =
    await orAborted(Promise.all([bootstrapping, appOpening]), signal);
  const ignoredPresets = bootstrapped.ignoredPresets.map(variableOf);
  if (ignoredPresets.length > 0) {
    logger.warn("presets_ignored", { variables: ignoredPresets });
  }

  forwardReceipts(gateway, engine, clock, logger);
  forwardTexts(
    gateway,
    createInboundIntake(
      { store, topics, dispatcher, clock, logger, seal, newId, newMessageId },
      {
        projectId,
        // Checked with the configuration.
        bindings: () =>
          settings
            .get()
            .sms.inbound.flatMap((text) => parseInboundBinding(text) ?? []),
        lives,
      },
    ),
  );
  if (config.publicUrl !== undefined) {
    gateway.callbackBase = `${config.publicUrl}/receivers/${receiverSecret}`;
  }
  const { codeProviders } = ports;
  logRouterErrors(gateway, clock, logger);
  addProviders(gateway, config.sms, { logger, codeProviders });
  settings.onChange((next, before, note) => {
    const parts = { logger, note, codeProviders };
    const change = prepareGateway(gateway, next.sms, before.sms, parts);
    return () => {
      change();
      // Another provider may send what waited for one that is paused.
      resumeTexts();
    };
  });
  // A provider that does not heed the signal is stopped once it has started.
  await orAborted(gateway.start({ signal }), signal);

  const owned = opened.move();
  let closed: Promise<void> | undefined;
  const abandon = () => abandoning.abort();
  const close = (options: CloseOptions = {}): Promise<void> => {
    options.signal?.addEventListener("abort", abandon, { once: true });
    if (options.signal?.aborted) abandon();
    closed ??= owned.disposeAsync();
    return closed;
  };
  return {
    openApp,
    metricsText,
    engine,
    projectId,
    receiverSecret,
    identity,
    stored,
    storedTemplates,
    batchSender,
    deliveryChecks,
    credentials: created?.credentials,
    ignoredPresets,
    async start() {
      if (created) {
        await orAborted(ports.onCredentials(created.credentials), signal);
      }
      await orAborted(engine.start(), signal);
      isDelivering = true;
      // Resumed while nobody ran, or configured otherwise since.
      resumeTexts();
      releaseLeftBehind();
      mailboxes.start();
      eventPublisher.start();
      jobs.start();
      for (const task of intervalTasks) task.start();
      // Last: credentials of a start that fails are never shown.
      signal?.throwIfAborted();
      await created?.confirm();
      notReady = undefined;
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** Loading it takes as long as all the rest of a start. */
async function buildApp(
  ports: AppPorts,
  settings: LiveSettings,
): Promise<HttpApp> {
  const { createApp } = await import("./app.ts");
  const { maxConnections } = settings.get();
  const app = createApp({ ...ports, maxConnections });
  settings.onChange((next) => () => {
    app.server.maxConnections = next.maxConnections;
  });
  try {
    await app.ready();
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

/** One listener that calls several, in their order. */
function listenWith(listeners: readonly DeliveryListener[]): DeliveryListener {
  return {
    onWritten(deliveries) {
      for (const listener of listeners) listener.onWritten(deliveries);
    },
  };
}

/** @throws ConfigError when the lease does not cover a channel's timeout */
function createEngineOf(...args: Parameters<typeof createEngine>): Engine {
  try {
    return createEngine(...args);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([
      { key: "leaseMs", source: "leaseMs", problem: error.message },
    ]);
  }
}

function toNotReady(error: CarillonError | undefined): NotReady | undefined {
  return error && { reason: error.code, message: errorCatalogue[error.code] };
}
