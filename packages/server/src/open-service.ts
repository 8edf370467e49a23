/**
 * The composition root of a real service: the store on disk, the channels that
 * reach out, and, at the start or later, the socket. The rest is built by
 * `compose.ts`. What is built last is closed first. Whoever serves (`serve.ts`)
 * and whoever embeds (`open.ts`) opens it here.
 */

import type { AddressInfo } from "node:net";
import { isDeepStrictEqual } from "node:util";
import {
  type ChannelParts,
  channelList,
  createDebugEmailChannel,
  createEgressGuard,
  createEgressHttpClient,
  createEmailChannel,
  createHttpProbe,
  createLinks,
  createReplaceableChannel,
  createReplaceableEgressGuard,
  createSystemResolver,
  emailProtocol,
  emailTimeoutMs,
  mailRouterTimeoutMs,
  SigningKeys,
  WebhookKeys,
} from "@carillon/channels";
import {
  CarillonError,
  type Logger,
  orAborted,
  silentLogger,
  systemClock,
} from "@carillon/core";
import type { Gateway, RecipientRouter } from "@carillon/gateway";
import { openSqliteStore, readDiskUse } from "@carillon/storage";
import { type CloseOptions, compose, type Service } from "./compose.ts";
import { type Config, isLoopback } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { type ReloadedConfig, reloadConfig } from "./config-reload.ts";
import { writeCredentialsFile } from "./credentials-file.ts";
import {
  createCredentialsKeeper,
  type FirstCredentials,
} from "./credentials-keeper.ts";
import {
  type ConfiguredEmail,
  findOtherFiles,
  toConfiguredEmail,
} from "./email-channel.ts";
import { RequestError } from "./errors.ts";
import { createSecretBox } from "./identity/secret-box.ts";
import { readSharedKeyFile } from "./key-file.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import { loadSigningKeys } from "./keys/load-signing-keys.ts";
import { LiveSettings } from "./live-settings.ts";
import { createMailBackends } from "./mail-backends/mail-backends.ts";
import { createMailReports } from "./mail-reports/mail-reports.ts";
import {
  type MetricsServer,
  startMetricsServer,
} from "./metrics/metrics-server.ts";
import { createSandbox } from "./sandbox/sandbox.ts";
import { openSecretKey } from "./secret-key.ts";
import { createSmsGuard } from "./sms-guard.ts";
import type { CodeProviders } from "./sms-settings.ts";
import { createSubscriptionTokens } from "./subscription-tokens.ts";
import type { TemplateParts } from "./templates/stored-templates.ts";
import { createSmsGateway } from "./text-messages.ts";
import { version } from "./version.ts";

/** What timers can wait for. */
const longestTimerMs = 2 ** 31 - 1;

/** What whoever opens a service brings. */
export interface OpenServiceOptions {
  /** Default: writes nothing. */
  readonly logger?: Logger | undefined;
  /** Lines the logger could not write since the start. Default: none. */
  readonly droppedLogLines?: (() => number) | undefined;
  /**
   * Reads the configuration again. Default: it stays what it is.
   *
   * @throws ConfigError with every mistake
   */
  readonly readConfig?: (() => Config) | undefined;
  /** Called with what holds from now on, after each reload. */
  readonly onReloaded?: ((config: Config) => void) | undefined;
  /** Providers that the program brings. Default: none. */
  readonly codeProviders?: CodeProviders | undefined;
  /** Of the program, in place of the module of `sms.router`. Default: none. */
  readonly router?: RecipientRouter | undefined;
  /** Of the program. Default: Liquid, without hooks. */
  readonly templates?: TemplateParts | undefined;
  /** An abort ends the start; see `ServeOptions`. */
  readonly signal?: AbortSignal | undefined;
  /** Listens before it delivers, as the configuration says. Default: not at all. */
  readonly listens?: boolean | undefined;
}

/** A service that runs. */
export interface OpenService {
  readonly service: Service;
  readonly logger: Logger;
  readonly gateway: Gateway;
  /** Where it answers, without a slash at the end; empty until it listens. */
  readonly url: string;
  /** What holds now; keys that need a restart are as they were at the start. */
  readonly config: Config;
  /**
   * At the first start that succeeds, and at the first one that listens: they
   * are handed over then.
   */
  readonly credentials: FirstCredentials | undefined;
  /** Aborted when the store can never write again in this process. */
  readonly failed: AbortSignal;
  /** @throws as `Server.reload` does */
  reload(): ReloadedConfig;
  /** @throws as `Carillon.listen` does */
  listen(address: Address): Promise<string>;
  /** See `Carillon.close`. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Opens a service and resolves when it delivers, and answers if it `listens`.
 *
 * @throws CarillonError STORAGE_IN_USE, STORAGE_UNUSABLE; ConfigError; the error
 * of the socket when it cannot listen; the signal's reason. Nothing is left open
 * then.
 */
export async function openService(
  config: Config,
  options: OpenServiceOptions,
): Promise<OpenService> {
  const logger = options.logger ?? silentLogger;
  const clock = systemClock;
  const { signal, listens = false } = options;
  signal?.throwIfAborted();
  // While the disk is waited for; whoever builds it finds out if that fails.
  if (listens) import("./app.ts").catch(() => {});
  await using opened = new AsyncDisposableStack();
  // Without a socket nothing else holds the process while a delivery waits for
  // its next attempt.
  const alive = setInterval(() => {}, longestTimerMs);
  opened.defer(() => clearInterval(alive));

  let listeningUrl = "";
  const publicUrl = () => config.publicUrl ?? listeningUrl;

  const settings = new LiveSettings(config);
  const failure = new AbortController();
  // Before anything is made: it may be missing, or no key.
  const { secretKeyFile } = config;
  const shared =
    secretKeyFile === undefined
      ? undefined
      : {
          file: secretKeyFile,
          key: await readSharedKeyFile(secretKeyFile, logger),
        };
  const store = opened.use(
    await openSqliteStore({
      folder: config.data,
      clock,
      logger,
      onBroken: (error) => failure.abort(error),
      ...(signal && { signal }),
    }),
  );
  // Before the first write: a node with another key changes nothing.
  const key = await openSecretKey({
    store,
    folder: config.data,
    shared,
    logger,
  });
  const signingKeys = opened.use(
    new SigningKeys({
      settings: store,
      secrets: createSecretBox(key),
      region: config.region,
      clock,
      logger,
    }),
  );
  // In the background: the first signature waits for it, the start does not.
  void loadSigningKeys(signingKeys, logger);

  const outward = new AbortController();
  opened.defer(() => outward.abort());
  const resolve = createSystemResolver({ signal: outward.signal });
  const guardFor = ({ allowTargets, allowPorts }: Config) =>
    createEgressGuard({ allowTargets, allowPorts, resolve });
  const egress = createReplaceableEgressGuard(guardFor(config));
  settings.onChange((next) => {
    const guard = guardFor(next);
    return () => egress.replace(guard);
  });
  const carrierHttp = createEgressHttpClient({ egress });
  opened.defer(() => carrierHttp.close());
  const smsGuard = createSmsGuard(
    { store, hash: createKeyedHash(key, "sms-guard"), clock, logger },
    config.sms.guard,
  );
  const gateway = createSmsGateway(
    { http: carrierHttp, optOuts: store, guard: smsGuard.guard },
    config,
  );
  if (options.router) gateway.recipientRouter = options.router;
  opened.defer(() => gateway.stop());
  const sandbox = config.sandbox
    ? opened.use(await createSandbox({ clock, logger, gateway }))
    : undefined;

  const links = createLinks({
    publicUrl,
    region: config.region,
    tokens: createSubscriptionTokens(key),
  });
  const mailReports = createMailReports({
    store,
    clock,
    key,
    logger,
    settings: () => settings.get(),
  });
  const sharedMailOptions = (config: Config) => ({
    links,
    logger,
    readAttachments: (messageSeq: number) => store.readAttachments(messageSeq),
    ...mailReports.channelOptions(config),
  });
  const ownEmailFor = (config: Config, configured: ConfiguredEmail) => {
    if (config.email.backend === "debug") return createDebugEmailChannel();
    const { smtpUrl = sandbox?.smtpUrl } = config;
    return smtpUrl === undefined
      ? undefined
      : createEmailChannel({
          ...configured,
          smtpUrl,
          ...sharedMailOptions(config),
        });
  };
  const emailFor = (config: Config, configured: ConfiguredEmail) =>
    createMailBackends(
      config,
      ownEmailFor(config, configured),
      {
        ...sharedMailOptions(config),
        from: configured.from,
        senders: configured.senders,
      },
      () => clock.monotonic(),
    );
  const email = createReplaceableChannel({
    name: "email",
    protocols: [emailProtocol],
    kind: "push",
    timeoutMs: emailTimeoutMs + mailRouterTimeoutMs,
  });
  let configuredEmail = toConfiguredEmail(config);
  email.replace(emailFor(config, configuredEmail));
  settings.onChange((next, before, note) => {
    // What files say may have changed under the same names.
    const configured = toConfiguredEmail(next);
    const isSame =
      next.smtpUrl === before.smtpUrl &&
      next.email.backend === before.email.backend &&
      next.email.router === before.email.router &&
      isDeepStrictEqual(next.email.backends, before.email.backends) &&
      next.email.webhookSecret === before.email.webhookSecret &&
      next.email.mandrillKey === before.email.mandrillKey &&
      isDeepStrictEqual(configured, configuredEmail);
    if (isSame) return () => {};
    for (const path of findOtherFiles(
      before,
      next,
      configuredEmail,
      configured,
    )) {
      note(path);
    }
    const channel = emailFor(next, configured);
    return () => {
      configuredEmail = configured;
      email.replace(channel);
    };
  });
  const parts: ChannelParts = {
    egress,
    signer: signingKeys,
    webhookKeys: new WebhookKeys(key),
    links,
    clock,
    logger,
    gateway,
    maxSegments: () => settings.get().sms.maxSegments,
    email: mailReports.suppressing(email),
    httpTimeoutMs: config.httpTimeoutMs,
    // An attempt without an answer gives back its slot, not its connection:
    // endpoints that hang leave connections to the others of their origin.
    connectionsPerOrigin: 8 * config.maxInFlight,
  };
  const channels = channelList.map((create) => {
    const channel = create(parts);
    // Nothing is sent through it.
    if (channel.kind === "pull") return channel;
    opened.defer(() => channel.close());
    return sandbox?.watch(channel) ?? channel;
  });

  const address = () => ({
    url: listeningUrl,
    ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
  });
  const keeper = createCredentialsKeeper({
    folder: config.data,
    store,
    key,
    logger,
    address,
  });
  let credentials: FirstCredentials | undefined;
  const reload = (): ReloadedConfig => {
    const { readConfig } = options;
    if (closing) throw new CarillonError("SHUTTING_DOWN");
    if (!readConfig) {
      throw new RequestError(
        "NOT_OFFERED",
        "The configuration is given by the program that this server is part of, and does not change while it runs.",
      );
    }
    const reloaded = reloadConfig({ settings, readConfig, logger });
    options.onReloaded?.(settings.get());
    return reloaded;
  };
  let closing: Promise<void> | undefined;
  const service = opened.use(
    await compose(
      {
        store,
        clock,
        logger,
        random: Math.random,
        key,
        channels,
        gateway,
        codeProviders: options.codeProviders,
        smsGuard,
        sandbox,
        emailEvents: mailReports.emailEvents,
        templates: options.templates,
        probe: createHttpProbe({ egress, clock }),
        checkTarget: async (url, stopped) => {
          const refusal = await egress.checkUrl(url, { signal: stopped });
          if (!refusal) return;
          throw new CarillonError("ENDPOINT_FORBIDDEN", refusal.message);
        },
        checkTargetNow: (url) => {
          const refusal = egress.checkUrlNow(url);
          if (!refusal) return;
          throw new CarillonError("ENDPOINT_FORBIDDEN", refusal.message);
        },
        certificates: {
          find: (id) => signingKeys.findCertificate(id),
          list: () => signingKeys.list(),
          rotate: () => signingKeys.rotate(),
        },
        publicUrl,
        onCredentials: async (created) => {
          credentials = { ...address(), ...created };
          // A file is for clients on this machine; without an address it waits
          // for a start that listens, and shows them. One that is lost with a
          // crash right here: nothing was confirmed, the next start is the first.
          await writeCredentialsFile(config.data, credentials);
        },
        onIdentityChanged: async () => {
          await keeper.refresh();
        },
        droppedLogLines: options.droppedLogLines ?? (() => 0),
        diskUse: () => readDiskUse(config.data),
        reloadConfig: reload,
      },
      settings,
      { signal, withApp: listens },
    ),
  );
  // Bounces come to a port of their own, also where the API has none.
  const bounceServer = await mailReports.listen();
  if (bounceServer) opened.use(bounceServer);
  const sockets = opened.use(new AsyncDisposableStack());
  /** Answers the port of metrics, if they have one of their own. */
  const openSockets = async (at: Address): Promise<number | undefined> => {
    const app = await service.openApp();
    await using opening = new AsyncDisposableStack();
    const metricsServer = await openMetricsPort(service, config);
    if (metricsServer) opening.use(metricsServer);
    // The bounds hold for one server, which listens on one address: of those of
    // `localhost` the one that all machines have.
    const host = at.host === "localhost" ? "127.0.0.1" : at.host;
    await app.listen({ host, port: at.port });
    if (sockets.disposed) throw new CarillonError("SHUTTING_DOWN");
    sockets.use(opening.move());
    listeningUrl = urlOf(at.host, app.server.address());
    if (config.publicUrl === undefined && !isLoopback(at.host)) {
      logger.warn("links_lead_here", { host: at.host, url: listeningUrl });
    }
    return metricsServer?.port;
  };
  const metricsPort = listens
    ? await orAborted(openSockets(config), signal)
    : undefined;
  // An abort from here on comes too late: credentials of a first start are
  // handed over with what is answered.
  await service.start();
  // What was just written is as it should be.
  if (listens && credentials === undefined) {
    credentials = await keeper.refresh();
  }
  logger.info("started", {
    version,
    ...(listens && { url: listeningUrl }),
    ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
    data: config.data,
    protocols: channels.flatMap((channel) =>
      channel.kind !== "pull" && channel.isSetUp?.() === false
        ? []
        : channel.protocols.map(({ name }) => name),
    ),
    smsProviders: config.sms.providers.map((setting) =>
      typeof setting === "string" ? setting : setting.name,
    ),
    sandbox: config.sandbox,
    ...(metricsPort !== undefined && { metricsPort }),
  });

  const owned = opened.move();
  const close = (options?: CloseOptions) => {
    // First of all that is owned; a failure comes from there.
    void service.close(options);
    closing ??= owned.disposeAsync();
    return closing;
  };
  let listening: Promise<string> | undefined;
  const listenLate = async (at: Address): Promise<string> => {
    const metricsPort = await openSockets(at);
    if (credentials === undefined) credentials = await keeper.refresh();
    else {
      credentials = { ...credentials, ...address() };
      await writeCredentialsFile(config.data, credentials).catch(
        // Who embeds the service has them all the same.
        (error: unknown) =>
          logger.error("credentials_file_not_updated", {
            folder: config.data,
            error,
          }),
      );
    }
    logger.info("listening", {
      url: listeningUrl,
      ...(metricsPort !== undefined && { metricsPort }),
    });
    return listeningUrl;
  };
  return {
    service,
    logger,
    gateway,
    get url() {
      return listeningUrl;
    },
    get config() {
      return settings.get();
    },
    get credentials() {
      return credentials;
    },
    failed: failure.signal,
    reload,
    async listen(at) {
      if (closing) throw new CarillonError("SHUTTING_DOWN");
      if (listens || listening) throw listensAlready(listeningUrl);
      listening = listenLate(at);
      // One whose port was taken may try another.
      listening.catch(() => {
        listening = undefined;
      });
      return listening;
    },
    close,
  };
}

type Address = Pick<Config, "host" | "port">;

function listensAlready(url: string): ConfigError {
  const where = url === "" ? "" : ` at ${url}`;
  return new ConfigError([
    {
      key: "port",
      source: "port",
      problem: `it listens already${where}: a service has one address`,
    },
  ]);
}

/**
 * `undefined` when metrics have no port of their own.
 *
 * @throws ConfigError when it cannot be listened on
 */
async function openMetricsPort(
  { metricsText }: Pick<Service, "metricsText">,
  { metricsPort: port, metricsHost: host, metricsToken: token }: Config,
): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined;
  try {
    return await startMetricsServer(metricsText, { host, port, token });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "EADDRINUSE" ? "another program uses it" : message;
    throw new ConfigError([
      {
        key: "metricsPort",
        source: "metricsPort",
        problem: `port ${port} on ${host} cannot be listened on: ${reason}`,
      },
    ]);
  }
}

/** The URL by which this machine reaches the server. */
function urlOf(host: string, address: AddressInfo | string | null): string {
  const port = typeof address === "object" && address ? address.port : 0;
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const name = isEverywhere ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
