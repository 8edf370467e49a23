/**
 * The providers of the gateway as operators see them: how they fare, what is
 * left on their accounts, and where their carriers call. Pauses them.
 */

import type { Clock, EpochMs } from "@carillon/core";
import {
  type BreakerState,
  type Gateway,
  meaningOf,
  type Provider,
  type ProviderHealth,
  type ProviderHealthReport,
} from "@carillon/gateway";
import type { Config } from "../config.ts";
import { shownProvider } from "../config-settings.ts";
import { RequestError } from "../errors.ts";
import { sandboxProviderName } from "../sms-settings.ts";
import { type BalanceAnswer, ProviderBalances } from "./provider-balances.ts";
import type { ProviderPause, ProviderPauses } from "./provider-pauses.ts";

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
  /** Its settings, `***` for what is secret. */
  readonly settings: object;
}

/** Where a carrier calls. */
export interface ProviderCallback {
  readonly methods: readonly string[];
  readonly url: string;
}

export interface ProvidersPorts {
  readonly gateway: Gateway;
  readonly health: ProviderHealth;
  readonly pauses: ProviderPauses;
  readonly clock: Clock;
  /** As they are configured now. */
  readonly settings: () => Config["sms"]["providers"];
  /** Where carriers reach the receivers of all; without a slash at its end. */
  readonly receiversUrl: () => Promise<string>;
  /** The same without its secret. */
  readonly maskedReceiversUrl: () => string;
}

export interface Providers {
  /** In the order of the gateway, then those that are removed and paused. */
  list(): readonly ProviderReport[];
  /** @throws RequestError PROVIDER_NOT_FOUND */
  get(name: string): ProviderReport;
  /** `undefined`: it cannot say, or is removed. Takes some seconds at most. */
  balanceOf(name: string): Promise<BalanceAnswer | undefined>;
  /** @param reveal with the secret that lets carriers in */
  callbacksOf(
    name: string,
    reveal: boolean,
  ): Promise<readonly ProviderCallback[]>;
  /** @throws RequestError PROVIDER_NOT_FOUND */
  pause(pause: Omit<ProviderPause, "at">): Promise<ProviderReport>;
  /**
   * Answers it as it is then; `undefined`: it was removed.
   *
   * @throws RequestError PROVIDER_NOT_FOUND
   */
  resume(name: string): Promise<ProviderReport | undefined>;
  /** @throws RequestError PROVIDER_NOT_FOUND, PROVIDER_PAUSED */
  checkCanSend(name: string): void;
}

export function createProviders(ports: ProvidersPorts): Providers {
  const { gateway, health, pauses, clock } = ports;
  const balances = new ProviderBalances(clock);

  function reportOf(name: string): ProviderReport {
    const provider = gateway.providers.get(name);
    const pause = pauses.find(name);
    const setting = ports
      .settings()
      .find((it) => (typeof it === "string" ? it : it.name) === name);
    const { policy } = gateway;
    const report = health.reportOf(name);
    const breaker = policy?.breakerState(name);
    return {
      name,
      type: typeof setting === "object" ? setting.type : (setting ?? name),
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
      settings: shownProvider(setting ?? name),
    };
  }

  function get(name: string): ProviderReport {
    if (gateway.hasProvider(name) || pauses.find(name)) return reportOf(name);
    throw new RequestError("PROVIDER_NOT_FOUND");
  }

  return {
    list: () => [
      ...[...gateway.providers.keys()].map(reportOf),
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
    async callbacksOf(name, reveal) {
      const routes = gateway.providers.get(name)?.receiver()?.routes ?? [];
      // The sandbox's phones call from within.
      if (routes.length === 0 || name === sandboxProviderName) return [];
      const base = reveal
        ? await ports.receiversUrl()
        : ports.maskedReceiversUrl();
      return routes.map(({ methods, path }) => ({
        methods: [...methods],
        url: `${base}/${encodeURIComponent(name)}${path}`,
      }));
    },
    async pause(pause) {
      get(pause.provider);
      await pauses.pause(pause);
      return get(pause.provider);
    },
    async resume(name) {
      get(name);
      await pauses.resume(name);
      return gateway.hasProvider(name) ? reportOf(name) : undefined;
    },
    checkCanSend(name) {
      if (!gateway.hasProvider(name)) {
        throw new RequestError("PROVIDER_NOT_FOUND");
      }
      if (pauses.find(name)) throw new RequestError("PROVIDER_PAUSED");
    },
  };
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
