/**
 * The composition root: reads the configuration and builds everything. Long,
 * flat and boring on purpose; what is built last is closed first.
 */

import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  createEgressGuard,
  createEgressHttpClient,
  createEmailChannel,
  createHttpChannel,
  createHttpProbe,
  createLinks,
  createSmsChannel,
  SigningKeys,
} from "@carillon/channels";
import {
  CarillonError,
  type Channel,
  createDetections,
  createEngine,
  createInboundIntake,
  createResourceTags,
  createSubscriptions,
  createSubscriptionUsers,
  createTemplates,
  createTimeOrderedIds,
  createTopicAccess,
  createTopicBindings,
  createTopics,
  defaultRetryPolicy,
  type Logger,
  parseInboundBinding,
  silentLogger,
  smnRetryPolicy,
  systemClock,
} from "@carillon/core";
import { createEmbeddedDispatcher } from "@carillon/dispatch";
import { openSqliteStore } from "@carillon/storage";
import { createApp } from "./app.ts";
import type { Config } from "./config.ts";
import {
  type Credentials,
  updateCredentialsUrl,
  writeCredentialsFile,
} from "./credentials-file.ts";
import { DeliveryLog } from "./delivery-log/delivery-log.ts";
import { createAdministration } from "./identity/administration/administration.ts";
import { bootstrapIdentity } from "./identity/bootstrap.ts";
import { createIdentity } from "./identity/identity.ts";
import { createSecretBox } from "./identity/secret-box.ts";
import { readKeyFile } from "./key-file.ts";
import { createContentSeal } from "./keys/content-seal.ts";
import { openKeys } from "./keys/keys.ts";
import { createSandbox } from "./sandbox/sandbox.ts";
import {
  addProviders,
  createSmsGateway,
  forwardReceipts,
  forwardTexts,
} from "./text-messages.ts";
import { version } from "./version.ts";

export interface OpenOptions {
  /** Default: writes nothing. */
  readonly logger?: Logger;
}

/** A running service. */
export interface Carillon extends AsyncDisposable {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  readonly config: Config;
  /** Only at a first start, or when a preset changed something. */
  readonly credentials: Credentials | undefined;
  /** Stops accepting, finishes what is under way, closes all; idempotent. */
  close(): Promise<void>;
}

/** What is under way gets this long to finish when closing. */
const drainDeadlineMs = 7000;

/**
 * Starts a service and resolves when it answers.
 *
 * @throws CarillonError STORAGE_IN_USE, STORAGE_UNUSABLE; the error of the
 * socket when it cannot listen. Nothing is left open then.
 */
export async function open(
  config: Config,
  options: OpenOptions = {},
): Promise<Carillon> {
  const logger = options.logger ?? silentLogger;
  const clock = systemClock;
  await using opened = new AsyncDisposableStack();

  const newId = createTimeOrderedIds(clock.now, randomBytes);
  const newToken = () => randomBytes(48).toString("hex");
  let listeningUrl = "";
  const publicUrl = () => config.publicUrl ?? listeningUrl;

  const store = opened.use(
    await openSqliteStore({ folder: config.data, clock, logger }),
  );
  const key = await readKeyFile(config.data);
  const signingKeys = new SigningKeys({
    settings: store,
    secrets: createSecretBox(key),
    region: config.region,
    clock,
    logger,
  });
  // In the background: the first signature waits for it, the start does not.
  void signingKeys.load().catch((error: unknown) => {
    logger.error("signing_keys_failed", { error: String(error) });
  });

  const egress = createEgressGuard({ allowTargets: config.allowTargets });
  const carrierHttp = createEgressHttpClient({ egress });
  opened.defer(() => carrierHttp.close());
  const gateway = createSmsGateway(
    { http: carrierHttp, optOuts: store },
    config.sms,
  );
  opened.defer(() => gateway.stop());
  const sandbox = config.sandbox
    ? opened.use(await createSandbox({ clock, logger, gateway }))
    : undefined;

  const links = createLinks({ publicUrl, region: config.region });
  const channels: Channel[] = [
    createHttpChannel({
      egress,
      signer: signingKeys,
      links,
      clock,
      logger,
      timeoutMs: config.httpTimeoutMs,
      connectionsPerOrigin: config.maxInFlight,
    }),
    createSmsChannel({ gateway, links, logger, statusReports: true }),
  ];
  const smtpUrl = config.smtpUrl ?? sandbox?.smtpUrl;
  if (smtpUrl !== undefined) {
    channels.push(
      createEmailChannel({ smtpUrl, from: config.mailFrom, links, logger }),
    );
  }
  for (const channel of channels) opened.defer(() => channel.close());

  const dispatcher = createEmbeddedDispatcher();
  opened.defer(() => dispatcher.close());
  const topics = createTopics(
    { store, clock, newId },
    { region: config.region, quota: config.topicsPerProject },
  );
  const subscriptions = createSubscriptions(
    {
      store,
      topics,
      dispatcher,
      clock,
      newId,
      newMessageId: newId,
      newToken,
      isBillable: (protocol) =>
        channels.some(
          (one) => one.billable && one.protocols.includes(protocol),
        ),
      checkTarget: async (url) => {
        const refusal = await egress.checkUrl(url);
        if (!refusal) return;
        throw new CarillonError("ENDPOINT_FORBIDDEN", refusal.sentence);
      },
      logger,
    },
    {
      quota: config.subscriptionsPerTopic,
      ...(!config.limitConfirmations && { confirmationLimits: {} }),
    },
  );
  const keys = await openKeys({ settings: store, key, clock });
  const seal = createContentSeal({ store, keys });
  const deliveryLog = opened.use(
    new DeliveryLog({ folder: join(config.data, "logs"), store, logger }),
  );
  const engine = createEngine(
    {
      store,
      topics,
      dispatcher,
      channels,
      clock,
      logger,
      listener: deliveryLog,
      seal,
      random: Math.random,
      newId,
      newMessageId: newId,
    },
    {
      retryPolicy:
        config.retryProfile === "smn" ? smnRetryPolicy : defaultRetryPolicy,
      chunkSize: config.chunkSize,
      maxInFlight: config.maxInFlight,
      laneInFlight: config.laneInFlight,
      slowAfterMs: config.slowAfterMs,
    },
  );
  await engine.recover();
  opened.defer(() => engine.drain(drainDeadlineMs));

  let credentials: Credentials | undefined;
  const { projectId, receiverSecret } = await bootstrapIdentity(
    {
      store,
      newId,
      clock,
      key,
      tell: async (told) => {
        credentials = { ...told, url: config.publicUrl ?? "" };
        await writeCredentialsFile(config.data, credentials);
      },
    },
    config,
  );
  const identity = createIdentity({ store, clock, logger, key });

  forwardReceipts(gateway, engine, clock);
  forwardTexts(
    gateway,
    createInboundIntake(
      {
        store,
        topics,
        dispatcher,
        clock,
        logger,
        seal,
        newId,
        newMessageId: newId,
      },
      {
        projectId,
        // Checked with the configuration.
        bindings: config.sms.inbound.flatMap(
          (text) => parseInboundBinding(text) ?? [],
        ),
      },
    ),
  );
  addProviders(gateway, config.sms, logger);
  await gateway.start();

  let isReady = false;
  const app = createApp({
    store,
    topics,
    access: createTopicAccess({ store, topics }),
    templates: createTemplates(
      { store, clock, newId },
      { quota: config.templatesPerProject },
    ),
    resourceTags: createResourceTags(
      { store },
      { region: config.region, quota: config.tagsPerTopic },
    ),
    subscriptions,
    publisher: engine.publisher,
    subscriptionUsers: createSubscriptionUsers({
      store,
      subscriptions,
      clock,
      newId,
    }),
    bindings: createTopicBindings({ store, topics, clock, newId }),
    keys,
    seal,
    deliveryLog,
    detections: createDetections({
      topics,
      clock,
      newId,
      probe: createHttpProbe({ egress, clock }),
    }),
    identity,
    administration: createAdministration({
      store,
      identity,
      clock,
      newId,
      key,
    }),
    certificates: {
      find: (id) => signingKeys.findCertificate(id),
      list: () => signingKeys.list(),
      rotate: () => signingKeys.rotate(),
    },
    receivers: { gateway, secret: receiverSecret },
    engineStatus: () => engine.status(),
    logger,
    clock,
    region: config.region,
    publicUrl,
    version,
    isReady: () => isReady,
    ...(sandbox && { sandbox }),
  });
  opened.defer(async () => {
    isReady = false;
    await app.close();
  });
  await app.listen({ host: config.host, port: config.port });
  listeningUrl = urlOf(config.host, app.server.address());
  await updateCredentialsUrl(config.data, publicUrl());
  await engine.start();
  isReady = true;
  logger.info("started", { url: listeningUrl, data: config.data, version });

  const owned = opened.move();
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= owned.disposeAsync();
    return closing;
  };
  return {
    url: listeningUrl,
    config,
    credentials: credentials && { ...credentials, url: publicUrl() },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The URL by which this machine reaches the server. */
function urlOf(host: string, address: AddressInfo | string | null): string {
  const port = typeof address === "object" && address ? address.port : 0;
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const name = isEverywhere ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
