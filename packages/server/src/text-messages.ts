/** Sets up the SMS gateway, and tells the engine what comes in through it. */

import { isDeepStrictEqual } from "node:util";
import { logUnknownStatus, receiptOfStatus } from "@carillon/channels";
import type {
  Clock,
  Engine,
  InboundIntake,
  Logger,
  OptOutRecordStore,
} from "@carillon/core";
import {
  analyze,
  Gateway,
  type Guard,
  type HttpClient,
  type IncomingMessage,
  type LogProviderLogger,
  OptOut,
  type OptOutStore,
} from "@carillon/gateway";
import type { Config } from "./config.ts";
import type { NoteChange } from "./live-settings.ts";
import { createOptOutStore } from "./opt-out-store.ts";
import { toGuardRules } from "./sms-guard.ts";
import { isOtherFile, readSmsPolicy } from "./sms-policy.ts";
import { loadRouter } from "./sms-router.ts";
import {
  type CodeProviders,
  createProvider,
  nameOf,
  type ProviderPorts,
  sandboxProviderName,
  sendingProviders,
} from "./sms-settings.ts";

type OptOutSettings = Pick<Config["sms"], "optOutExempt" | "optOutLanguages">;

type ProviderSetting = Config["sms"]["providers"][number];

/** What configured providers are made with. */
export interface ProviderMakingPorts {
  readonly logger: Logger;
  /** Of the program that embeds the service. Default: it brings none. */
  readonly codeProviders?: CodeProviders | undefined;
}

/**
 * A gateway without providers.
 *
 * @throws ConfigError when the policy is wrong, or names others, and when the
 * router cannot be loaded
 */
export function createSmsGateway(
  ports: {
    readonly http: HttpClient;
    readonly optOuts: OptOutRecordStore;
    readonly guard: Guard;
  },
  config: Pick<Config, "sandbox" | "sms">,
): Gateway {
  const providers = sendingProviders(config);
  const policy = readSmsPolicy(config.sms, { providers });
  const recipientRouter = loadRouter(config.sms.router);
  return new Gateway({
    http: ports.http,
    guard: ports.guard,
    maxSegments: config.sms.maxSegments,
    ...(recipientRouter && { recipientRouter }),
    ...(policy && { policy }),
    optOut: createOptOut(createOptOutStore(ports.optOuts), config.sms),
  });
}

function createOptOut(
  store: OptOutStore,
  { optOutExempt, optOutLanguages }: OptOutSettings,
): OptOut {
  return new OptOut({
    store,
    exemptClasses: optOutExempt,
    ...(optOutLanguages.length > 0 && { languages: optOutLanguages }),
  });
}

/**
 * Adds the configured providers; the first one is the default, unless there is
 * one. To be called after the hooks were added: a forward server adds its own,
 * and what it hands on must be on our disk first.
 */
export function addProviders(
  gateway: Gateway,
  { providers }: Pick<Config["sms"], "providers">,
  ports: ProviderMakingPorts,
): void {
  for (const setting of providers) {
    const provider = createProvider(setting, providerPortsOf(ports));
    gateway.addProvider(nameOf(setting), provider);
  }
}

/**
 * Makes the providers that are new, or set otherwise than before, reads the
 * policy again, and answers what puts all of it in place. What stays the same is
 * left as it is. A provider that goes finishes the texts that it has.
 *
 * @throws ConfigurationError when a provider cannot be made; ConfigError when the
 * policy is wrong, or names one that would be gone, and when spend is limited
 * without prices
 */
export function prepareGateway(
  gateway: Gateway,
  next: Config["sms"],
  before: Config["sms"],
  ports: ProviderMakingPorts & { readonly note: NoteChange },
): () => void {
  const { logger, note } = ports;
  const isIn = ({ providers }: Config["sms"]) => {
    return (setting: ProviderSetting) =>
      providers.some((other) => isDeepStrictEqual(other, setting));
  };
  const isKept = isIn(next);
  const wasThere = isIn(before);
  const gone = before.providers.filter((setting) => !isKept(setting));
  const added = next.providers
    .filter((setting) => !wasThere(setting))
    .map(
      (setting) =>
        [setting, createProvider(setting, providerPortsOf(ports))] as const,
    );
  const current = gateway.policy;
  const sandbox = gateway.hasProvider(sandboxProviderName);
  const policy = readSmsPolicy(next, {
    providers: sendingProviders({ sandbox, sms: next }),
    current,
  });
  const { policyFile } = next;
  const isSameName =
    policyFile !== undefined && policyFile === before.policyFile;
  if (isSameName && isOtherFile(current, policy)) {
    note("sms.policyFile");
  }
  // One that a program gave in place of a module stays.
  const { recipientRouter: currentRouter } = gateway;
  const router =
    next.router === before.router ? currentRouter : loadRouter(next.router);
  const { optOut, guard } = gateway;
  const nextOptOut = optOut && createOptOut(optOut.store, next);
  const [first] = next.providers;
  return () => {
    if (gone.length > 0 || policy !== current) {
      // While it names them they cannot be taken out, or replaced.
      gateway.policy = undefined;
    }
    for (const setting of gone) {
      const provider = nameOf(setting);
      gateway.removeProvider(provider).catch((error: unknown) => {
        logger.warn("sms_provider_not_stopped", { provider, error });
      });
    }
    for (const [setting, provider] of added) {
      gateway.addProvider(nameOf(setting), provider);
    }
    gateway.policy = policy;
    gateway.recipientRouter = router;
    // The sandbox's phones stay in front.
    if (first !== undefined && !gateway.hasProvider(sandboxProviderName)) {
      gateway.defaultProvider = nameOf(first);
    }
    gateway.optOut = nextOptOut;
    gateway.maxSegments = next.maxSegments;
    if (guard) guard.rules = toGuardRules(next.guard);
  };
}

/** Lets providers' later words advance the deliveries they speak of. */
export function forwardReceipts(
  gateway: Gateway,
  engine: Pick<Engine, "receive">,
  clock: Clock,
  logger: Pick<Logger, "info">,
): void {
  gateway.onStatus.add(async (status) => {
    const receipt = receiptOfStatus(status);
    const { entry } = status;
    if (!receipt) return logUnknownStatus(logger, status);
    if (!entry) return;
    await engine.receive({ ...receipt, entry, at: clock.now() });
  });
}

/**
 * Keeps texts from phones. While that fails the carrier is told so, and sends
 * them again; what the gateway did before with a STOP is done again then.
 */
export function forwardTexts(gateway: Gateway, intake: InboundIntake): void {
  gateway.onReceive.add(async (message) => {
    const { entry, provider, src, dst, body, meta } = message;
    // Where digits alone would lose a sender's name.
    const { rawSrc } = meta;
    await intake.receive({
      provider: entry ?? provider ?? "",
      externalId: inboundIdOf(message),
      from: typeof rawSrc === "string" ? rawSrc : src,
      to: dst ?? undefined,
      text: body,
    });
  });
}

/**
 * A forward server has several carriers, whose ids may be the same: without
 * the carrier's name the second text would be taken for a repetition.
 */
function inboundIdOf(message: IncomingMessage): string | undefined {
  const { entry, provider, msgid } = message;
  if (!msgid || !provider || entry === provider) return msgid ?? undefined;
  return `${provider}/${msgid}`;
}

function providerPortsOf({
  logger,
  codeProviders,
}: ProviderMakingPorts): ProviderPorts {
  return { logger: createTextLogger(logger), codeProviders };
}

/** Shows numbers and texts, which may hold secrets, only to who asks for them. */
function createTextLogger(logger: Logger): LogProviderLogger {
  return {
    info(line, { msgid, provider, body }) {
      const { segments } = analyze(body);
      const characters = [...body].length;
      logger.info("sms_logged", { provider, msgid, characters, segments });
      logger.debug("sms_logged_text", { provider, msgid, text: line });
    },
  };
}
