/**
 * The guard of texts, with its counts in the store: they survive a restart, and
 * hold for all nodes together. Numbers stand there as keyed hashes alone.
 */

import {
  type Clock,
  type CounterRule,
  type CounterStore,
  type KeyedHash,
  type Logger,
  loadOnce,
  maskPhoneNumber,
} from "@carillon/core";
import {
  Guard,
  type GuardCounters,
  type GuardRules,
  type HoldReason,
  type NumberTypeLookup,
} from "@carillon/gateway";
import type { Config } from "./config.ts";
import { createNumberTypes } from "./number-type.ts";

/** Texts that were held since the start, for metrics. */
export class HeldTexts {
  readonly #counts = new Map<HoldReason, number>();

  note(reason: HoldReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  counts(): { readonly reason: HoldReason; readonly count: number }[] {
    return Array.from(this.#counts, ([reason, count]) => ({ reason, count }));
  }
}

/** Spend that came to a share of its limit since the start, for metrics. */
export class SpendAlerts {
  readonly #counts = new Map<string, SpendAlertCount>();

  note(alert: Omit<SpendAlertCount, "count">): void {
    const key = `${alert.scope} ${alert.period} ${alert.percent}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { ...alert, count });
  }

  counts(): SpendAlertCount[] {
    return [...this.#counts.values()];
  }
}

interface SpendAlertCount {
  readonly scope: "all" | "project";
  readonly period: "day" | "month";
  readonly percent: number;
  readonly count: number;
}

export interface SmsGuardPorts {
  readonly store: Pick<CounterStore, "changeCounters" | "readCounters">;
  readonly hash: KeyedHash;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A guard, and what metrics say of it. */
export interface SmsGuard {
  readonly guard: Guard;
  readonly held: HeldTexts;
  readonly spendAlerts: SpendAlerts;
}

export function createSmsGuard(
  { store, hash, clock, logger }: SmsGuardPorts,
  rules: Config["sms"]["guard"],
): SmsGuard {
  const held = new HeldTexts();
  const spendAlerts = new SpendAlerts();
  const guard = new Guard({
    rules: toGuardRules(rules),
    counters: createGuardCounters(store, hash),
    numberType: createNumberTypeLookup(),
    clock,
    place: "sms.guard.",
    onHeld({ reason, digits, messageClass, project }) {
      held.note(reason);
      logger.warn("sms_held", {
        reason,
        endpoint: maskPhoneNumber(`+${digits}`),
        projectId: project,
        ...(messageClass !== null && { class: messageClass }),
      });
    },
    onSpendAlert({ period, date, project, percent, amount, limit }) {
      const scope = project === undefined ? "all" : "project";
      spendAlerts.note({ scope, period, percent });
      logger.warn("sms_spend", {
        period,
        date,
        ...(project !== undefined && { projectId: project }),
        percent,
        amount,
        limit,
      });
    },
    onFailed: (error) => logger.warn("sms_held_not_counted", { error }),
  });
  return { guard, held, spendAlerts };
}

/** Of the configuration, whose keys are those of the rules. */
export function toGuardRules(settings: Config["sms"]["guard"]): GuardRules {
  return settings;
}

/** Beyond it the counters that end first go: those of single numbers. */
const rule: CounterRule = {
  kind: "sms_guard",
  windowMs: 3_600_000,
  isSliding: false,
  maxCounters: 1_000_000,
};

function createGuardCounters(
  store: SmsGuardPorts["store"],
  hash: KeyedHash,
): GuardCounters {
  return {
    async read(keys) {
      const names = keys.map(createNaming(hash));
      const counters = await store.readCounters(rule.kind, names);
      return counters.map((counter) => counter?.count ?? 0);
    },
    async add(additions) {
      const nameOf = createNaming(hash);
      const added = additions.map(({ key, by, limit, windowMs }) => ({
        key: nameOf(key),
        by,
        windowMs,
        // The store refuses what has reached it, before it adds.
        ...(limit !== undefined && { max: limit - by + 1 }),
      }));
      const counters = await store.changeCounters(rule, { added });
      return counters?.map(({ count }) => count);
    },
  };
}

/** Names counters; a number is hashed once for all the rules that count it. */
function createNaming(hash: KeyedHash): (key: string) => string {
  const hashes = new Map<string, string>();
  return (key) => {
    const space = key.indexOf(" ");
    const whose = key.slice(space + 1);
    const known = hashes.get(whose) ?? hash(whose);
    hashes.set(whose, known);
    return `${key.slice(0, space)}-${known}`;
  };
}

/** Loaded with the first text to a carrier: a start does without. */
function createNumberTypeLookup(): NumberTypeLookup {
  const load = loadOnce(async () => {
    const { parsePhoneNumber } = await import("awesome-phonenumber");
    return createNumberTypes(parsePhoneNumber);
  });
  return async (number) => (await load())(number);
}
