/** Sets up the SMS gateway, and tells the engine what comes in through it. */

import { isDeepStrictEqual } from "node:util";
import { receiptOfStatus } from "@carillon/channels";
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
  type ProviderTypePorts,
} from "@carillon/gateway";
import type { Config } from "./config.ts";
import { createOptOutStore } from "./opt-out-store.ts";
import { checkSpendLimits, toGuardRules } from "./sms-guard.ts";
import { readSmsPolicy } from "./sms-policy.ts";
import { createProvider, sandboxProviderName } from "./sms-settings.ts";

type OptOutSettings = Pick<Config["sms"], "optOutExempt" | "optOutLanguages">;

type ProviderSetting = Config["sms"]["providers"][number];

/** A gateway without providers. */
export function createSmsGateway(
  ports: {
    readonly http: HttpClient;
    readonly optOuts: OptOutRecordStore;
    readonly guard: Guard;
  },
  options: OptOutSettings &
    Pick<Config["sms"], "policyFile" | "providers" | "guard">,
): Gateway {
  const { policyFile, providers } = options;
  const names = [...providers.map(nameOf), sandboxProviderName];
  const policy =
    policyFile === undefined ? undefined : readSmsPolicy(policyFile, names);
  checkSpendLimits(options, policy);
  return new Gateway({
    http: ports.http,
    guard: ports.guard,
    ...(policy && { policy }),
    optOut: createOptOut(createOptOutStore(ports.optOuts), options),
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
  logger: Logger,
): void {
  for (const setting of providers) {
    gateway.addProvider(
      nameOf(setting),
      createProvider(setting, portsWith(logger)),
    );
  }
}

/**
 * Makes the providers that are new, or set otherwise than before, and answers
 * what puts them in place. Those that stay the same are left as they are. A
 * provider that goes finishes the texts that it has.
 *
 * @throws ConfigurationError when a provider cannot be made, or one that the
 * policy names would be gone; ConfigError when spend is limited without prices
 */
export function prepareGateway(
  gateway: Gateway,
  next: Config["sms"],
  before: Config["sms"],
  logger: Logger,
): () => void {
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
        [setting, createProvider(setting, portsWith(logger))] as const,
    );
  // Before anything is changed: a policy names none that is not there.
  gateway.policy?.checkProviders((name) =>
    next.providers.some((setting) => nameOf(setting) === name),
  );
  checkSpendLimits(next, gateway.policy);
  const { optOut, guard } = gateway;
  const nextOptOut = optOut && createOptOut(optOut.store, next);
  const [first] = next.providers;
  return () => {
    for (const setting of gone) {
      const provider = nameOf(setting);
      gateway.removeProvider(provider).catch((error: unknown) => {
        logger.warn("sms_provider_not_stopped", { provider, error });
      });
    }
    for (const [setting, provider] of added) {
      gateway.addProvider(nameOf(setting), provider);
    }
    // The sandbox's phones stay in front.
    if (first !== undefined && !gateway.hasProvider(sandboxProviderName)) {
      gateway.defaultProvider = nameOf(first);
    }
    gateway.optOut = nextOptOut;
    if (guard) guard.rules = toGuardRules(next.guard);
  };
}

function nameOf(setting: ProviderSetting): string {
  return typeof setting === "string" ? setting : setting.name;
}

/** Lets providers' later words advance the deliveries they speak of. */
export function forwardReceipts(
  gateway: Gateway,
  engine: Pick<Engine, "receive">,
  clock: Clock,
): void {
  gateway.onStatus.add(async (status) => {
    const receipt = receiptOfStatus(status);
    const { entry } = status;
    if (!receipt || !entry) return;
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

function portsWith(logger: Logger): ProviderTypePorts {
  return { logger: createTextLogger(logger) };
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
