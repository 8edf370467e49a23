/**
 * The providers of the gateway as operators see them: how they fare, what is
 * left on their accounts, and where their carriers call. Pauses them.
 */

import { type Clock, type EpochMs, maskUrlPath } from "@carillon/core";
import {
  type BreakerState,
  type Gateway,
  meaningOf,
  type Provider,
  type ProviderHealth,
  type ProviderHealthReport,
  type ReceiverRoute,
} from "@carillon/gateway";
import type { Config } from "../config.ts";
import { shownProvider } from "../config-settings.ts";
import { RequestError } from "../errors.ts";
import { nameOf, sandboxProviderName } from "../sms-settings.ts";
import { type BalanceAnswer, ProviderBalances } from "./provider-balances.ts";
import type { ProviderPause, ProviderPauses } from "./provider-pauses.ts";
import { findSetting, ownCallbackUrl } from "./provider-settings.ts";

/**
 * What there is to say of a provider first: `not_started`, because it could not
 * be, or is being; `removed`: it is paused, and not configured any more.
 */
export const providerStates = [
  "ok",
  "failing",
  "paused",
  "not_started",
  "removed",
] as const;

export type ProviderState = (typeof providerStates)[number];

/** A code of a carrier's, or a class of errors, and what it means. */
export interface ProviderErrorReport {
  readonly code?: string;
  /** The class of the error; `receipt`: of a text that was accepted before. */
  readonly errorClass: string;
  readonly meaning: string;
  readonly count: number;
  readonly lastAt: EpochMs;
}

/** A provider, and what was counted of it on this node since its start. */
export interface ProviderReport {
  readonly name: string;
  /** Its type in the configuration. */
  readonly type: string;
  readonly state: ProviderState;
  readonly isDefault: boolean;
  /** Rules of the delivery policy that name it. */
  readonly rules: readonly string[];
  /** Absent: no policy, so that nothing keeps texts from it. */
  readonly breaker?: BreakerState;
  readonly pause?: ProviderPause;
  readonly health: ProviderHealthReport;
  /** The one seen last comes first. */
  readonly errors: readonly ProviderErrorReport[];
  readonly reports: ProviderReports;
  /** Its settings, `***` for what is secret. */
  readonly settings: object;
}

/** How it is heard of texts that a carrier took, and of texts from phones. */
export interface ProviderReports {
  /**
   * `known`: its carrier can call; `unknown`: it could if it were told where, by
   * `publicUrl`; `none`: it never calls.
   */
  readonly callbacks: "known" | "unknown" | "none";
  /** From the acceptance to the first question; absent: it is not asked. */
  readonly askedAfterMs?: number;
}

/** Where a carrier calls. */
export interface ProviderCallback {
  readonly methods: readonly string[];
  readonly url: string;
}

/** What came of resuming a provider. */
export interface ResumedProvider {
  readonly wasPaused: boolean;
  /** Absent: it was removed. */
  readonly report?: ProviderReport;
}

export interface ProvidersPorts {
  readonly gateway: Gateway;
  readonly health: ProviderHealth;
  readonly pauses: ProviderPauses;
  readonly clock: Clock;
  /** As they are configured now. */
  readonly settings: () => Config["sms"]["providers"];
}

export interface Providers {
  /** As configured, then those that are removed and paused. */
  list(): readonly ProviderReport[];
  /** @throws RequestError PROVIDER_NOT_FOUND */
  get(name: string): ProviderReport;
  /** `undefined`: it cannot say, or is removed. Takes some seconds at most. */
  balanceOf(name: string): Promise<BalanceAnswer | undefined>;
  /**
   * Where the carrier is told to call; none where it is told nothing.
   *
   * @param reveal with the secret that lets carriers in
   */
  callbacksOf(name: string, reveal: boolean): readonly ProviderCallback[];
  /** @throws RequestError PROVIDER_NOT_FOUND */
  pause(pause: Omit<ProviderPause, "at" | "type">): Promise<ProviderReport>;
  /**
   * Answers it as it is then, unless it was removed.
   *
   * @throws RequestError PROVIDER_NOT_FOUND
   */
  resume(name: string): Promise<ResumedProvider>;
  /** @throws RequestError PROVIDER_NOT_FOUND, PROVIDER_PAUSED */
  checkCanSend(name: string): void;
}

export function createProviders(ports: ProvidersPorts): Providers {
  const { gateway, health, pauses, clock } = ports;
  const balances = new ProviderBalances(clock);

  function reportOf(name: string): ProviderReport {
    const provider = gateway.providers.get(name);
    const pause = pauses.find(name);
    const setting = findSetting(ports.settings(), name);
    const { policy } = gateway;
    const report = health.reportOf(name);
    const breaker = policy?.breakerState(name);
    return {
      name,
      type: typeOf(name),
      state: stateOf({
        isThere: provider !== undefined,
        isReady: gateway.isReady(name),
        isPaused: pause !== undefined,
        breaker,
        report,
      }),
      isDefault: gateway.defaultProvider === name,
      rules: policy?.rulesWith(name) ?? [],
      ...(breaker && { breaker }),
      ...(pause && { pause }),
      health: report,
      errors: errorsOf(report, provider),
      reports: reportsOf(name),
      settings: shownProvider(setting ?? name),
    };
  }

  function typeOf(name: string): string {
    const setting = findSetting(ports.settings(), name);
    if (typeof setting === "object") return setting.type;
    return setting ?? pauses.find(name)?.type ?? name;
  }

  /** What its carrier is told to call: one's own address, else the gateway's. */
  function callbackUrlOf(name: string, reveal: boolean): string | undefined {
    const own = ownCallbackUrl(findSetting(ports.settings(), name));
    if (own !== undefined) return reveal ? own : maskUrlPath(own);
    const url = gateway.callbackUrl(name);
    return reveal ? url : url?.replace(/[^/]+(?=\/[^/]+$)/, "***");
  }

  function routesOf(name: string): readonly ReceiverRoute[] {
    // The sandbox's phones call from within.
    if (name === sandboxProviderName) return [];
    return gateway.providers.get(name)?.receiver()?.routes ?? [];
  }

  function reportsOf(name: string): ProviderReports {
    const polling = gateway.pollingOf(name);
    const isKnown = callbackUrlOf(name, false) !== undefined;
    return {
      callbacks:
        routesOf(name).length === 0 ? "none" : isKnown ? "known" : "unknown",
      ...(polling && { askedAfterMs: polling.firstAfterMs }),
    };
  }

  function get(name: string): ProviderReport {
    if (gateway.hasProvider(name) || pauses.find(name)) return reportOf(name);
    throw new RequestError("PROVIDER_NOT_FOUND");
  }

  return {
    list: () => [
      ...namesInOrder(gateway.providers.keys(), ports.settings()).map(reportOf),
      ...pauses
        .list()
        .filter(({ provider }) => !gateway.hasProvider(provider))
        .map(({ provider }) => reportOf(provider)),
    ],
    get,
    async balanceOf(name) {
      const provider = gateway.providers.get(name);
      return provider && (await balances.of(provider));
    },
    callbacksOf(name, reveal) {
      const base = callbackUrlOf(name, reveal);
      if (base === undefined) return [];
      return routesOf(name).map(({ methods, path }) => ({
        methods: [...methods],
        url: `${base}${path}`,
      }));
    },
    async pause(pause) {
      get(pause.provider);
      await pauses.pause({ ...pause, type: typeOf(pause.provider) });
      return get(pause.provider);
    },
    async resume(name) {
      get(name);
      const wasPaused = await pauses.resume(name);
      return {
        wasPaused,
        ...(gateway.hasProvider(name) && { report: reportOf(name) }),
      };
    },
    checkCanSend(name) {
      if (!gateway.hasProvider(name)) {
        throw new RequestError("PROVIDER_NOT_FOUND");
      }
      if (pauses.find(name)) throw new RequestError("PROVIDER_PAUSED");
    },
  };
}

/** A changed provider comes last in the gateway, and the sandbox is in no list. */
function namesInOrder(
  names: Iterable<string>,
  settings: Config["sms"]["providers"],
): string[] {
  const order = settings.map(nameOf);
  return [...names].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

function stateOf({
  isThere,
  isReady,
  isPaused,
  breaker,
  report,
}: {
  readonly isThere: boolean;
  readonly isReady: boolean;
  readonly isPaused: boolean;
  readonly breaker: BreakerState | undefined;
  readonly report: ProviderHealthReport;
}): ProviderState {
  if (!isThere) return "removed";
  if (isPaused) return "paused";
  if (!isReady) return "not_started";
  const { faults, accepted } = report.lastFiveMinutes;
  const isOpen = breaker !== undefined && breaker !== "closed";
  return isOpen || (faults > 0 && faults >= accepted) ? "failing" : "ok";
}

function errorsOf(
  { errors }: ProviderHealthReport,
  provider: Provider | undefined,
): ProviderErrorReport[] {
  return errors.map(({ code, errorClass, count, lastAt }) => ({
    ...(code !== undefined && { code: String(code) }),
    errorClass,
    meaning: meaningOf(provider, code, errorClass),
    count,
    // Of the clock that the gateway has from us.
    lastAt: lastAt as EpochMs,
  }));
}
