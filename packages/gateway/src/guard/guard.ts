/**
 * Looks at each text before a carrier gets it: where it goes, how many went there
 * of late, and what they cost. What it holds is not sent, and not counted. It
 * asks its counters once for all texts that come together.
 */

import { type Clock, systemClock } from "../clock.ts";
import { CountGroups, type SpendChange, toHold } from "./count-groups.ts";
import {
  type GuardAddition,
  type GuardCounters,
  MemoryGuardCounters,
  toGuardKey,
} from "./guard-counters.ts";
import { defaultGuardRules, type GuardRules } from "./guard-rules.ts";
import { type HeldNumber, HeldNumbers } from "./held-numbers.ts";
import { type Hold, type HoldReason, holdReasons } from "./hold.ts";
import {
  type CountedText,
  countsOf,
  ruleOfSpend,
  type SpendPeriod,
  spendKey,
  spendPeriodsOf,
  spendUnit,
} from "./limit-counts.ts";
import { holdByNumber, type NumberTypeLookup } from "./number-rules.ts";
import { SequenceDetector } from "./sequence-detector.ts";

/** What a guard works with; all of it has a default. */
export interface GuardOptions {
  /** What is not given is as {@link defaultGuardRules} has it. */
  readonly rules?: Partial<GuardRules>;
  /** In memory by default. */
  readonly counters?: GuardCounters;
  /** Without it premium numbers are known by few prefixes only. */
  readonly numberType?: NumberTypeLookup;
  readonly clock?: Pick<Clock, "now" | "monotonic">;
  /** What stands before the names of rules in sentences; `sms.guard.`. */
  readonly place?: string;
  readonly onHeld?: (held: HeldText) => void;
  readonly onSpendAlert?: (alert: SpendAlert) => void;
  /** Figures of what was held could not be kept; nothing else was lost. */
  readonly onFailed?: (error: unknown) => void;
}

/** A text that a guard looks at. */
export interface GuardedText extends Omit<CountedText, "project"> {
  /** Absent: there are none. */
  readonly project?: string;
  /**
   * Names the attempt: a text is counted once by it, however often it is asked
   * for before it is sent.
   */
  readonly attempt?: string;
  /** An attempt before was counted, and nothing of it went out. */
  readonly isCounted?: boolean;
}

/** A text that was held just now. */
export interface HeldText extends Hold, Omit<CountedText, "cost"> {}

/** Spend has come to a share of its limit. */
export interface SpendAlert extends SpendPeriod {
  readonly percent: 50 | 80 | 100;
  /** In units of the currency. */
  readonly amount: number;
  readonly limit: number;
}

/** Spend of a period against its limit, in units of the currency. */
export interface SpendStatus extends SpendPeriod {
  readonly amount: number;
  readonly limit: number;
}

/** What a guard held, and what is spent. */
export interface GuardSummary {
  readonly rules: GuardRules;
  /** In the last 24 hours, by what held them; reasons without any are left out. */
  readonly held: Readonly<Partial<Record<HoldReason, number>>>;
  /** Of this process, since its start, in 24 hours; most first. */
  readonly topNumbers: readonly HeldNumber[];
  /** The same of prefixes: numbers without their last three digits. */
  readonly topPrefixes: readonly HeldNumber[];
  readonly spend: readonly SpendStatus[];
}

/** Attempts, and limits, that are remembered. */
const maxKept = 10_000;

const hourMs = 3_600_000;

/** Refuses texts that cost money for nothing. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #counters: GuardCounters;
  readonly #groups: CountGroups;
  readonly #sequences = new SequenceDetector();
  readonly #numbers = new HeldNumbers();
  readonly #prefixes = new HeldNumbers();
  /** Attempts that were counted, the newest last. */
  readonly #passed = new Set<string>();
  /** Limits of spend of which it was told that they are spent. */
  readonly #spent = new Set<string>();
  readonly #place: string;
  #rules: GuardRules;

  constructor(options: GuardOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#counters = options.counters ?? new MemoryGuardCounters(this.#clock);
    this.#place = options.place ?? "";
    this.#rules = { ...defaultGuardRules, ...options.rules };
    this.#groups = new CountGroups({
      counters: this.#counters,
      tallyOf: ({ reason }) => this.#tallyOf(reason),
      onSpend: (change) => this.#tellSpend(change),
      onSpent: ({ spend, after, limit }) =>
        this.#tellAlert(spend, 100, after, limit),
      onFailed: (error) => options.onFailed?.(error),
    });
  }

  get rules(): GuardRules {
    return this.#rules;
  }

  /** Replaceable at any time; what was counted stays. */
  set rules(rules: Partial<GuardRules>) {
    this.#rules = { ...defaultGuardRules, ...rules };
  }

  /**
   * Lets a text pass and counts it, or answers what holds it. Rejects when the
   * counts cannot be read or changed: nothing may be sent then.
   */
  async check(text: GuardedText): Promise<Hold | undefined> {
    const { project = "", digits, attempt, isCounted } = text;
    const counted: CountedText = { ...text, project };
    const rules = this.#rules;
    const byNumber = await holdByNumber(
      digits,
      rules,
      this.#options.numberType,
      this.#place,
    );
    if (byNumber !== undefined) return this.#held(counted, byNumber);
    if (isCounted) return undefined;
    if (attempt !== undefined && this.#passed.has(attempt)) return undefined;
    const bySequence = this.#holdBySequence(counted, rules);
    if (bySequence !== undefined) return this.#held(counted, bySequence);
    const counts = countsOf(counted, rules, this.#clock.now(), this.#place);
    if (counts.length > 0) {
      const hold = await this.#groups.take(counts);
      if (hold !== undefined) return this.#tellHeld(counted, hold);
    }
    if (attempt !== undefined) keepNewest(this.#passed, attempt);
    return undefined;
  }

  /**
   * What would hold a text now: its number, its country, or a limit that is
   * reached. Counts nothing, so it knows nothing of sequences; another text may
   * come first. Rejects when the counts cannot be read.
   */
  async look(text: GuardedText): Promise<Hold | undefined> {
    const { project = "", digits } = text;
    const rules = this.#rules;
    const byNumber = await holdByNumber(
      digits,
      rules,
      this.#options.numberType,
      this.#place,
    );
    if (byNumber !== undefined) return byNumber;
    const counted = { ...text, project };
    const now = this.#clock.now();
    const counts = countsOf(counted, rules, now, this.#place);
    if (counts.length === 0) return undefined;
    const read = await this.#counters.read(counts.map(({ key }) => key));
    const full = counts.find(({ by, limit }, n) => (read[n] ?? 0) + by > limit);
    return full && toHold(full);
  }

  /** What was held, and what is spent; a look at the counters. */
  async summary(topLimit = 10): Promise<GuardSummary> {
    const now = this.#clock.monotonic();
    const hours = Array.from({ length: 24 }, (_, n) => this.#hour() - n);
    const held: Partial<Record<HoldReason, number>> = {};
    const keys = holdReasons.flatMap((reason) =>
      hours.map((hour) => heldKey(reason, hour)),
    );
    const counts = await this.#counters.read(keys);
    for (const [n, reason] of holdReasons.entries()) {
      const of = counts.slice(n * hours.length, (n + 1) * hours.length);
      const sum = of.reduce((a, b) => a + b, 0);
      if (sum > 0) held[reason] = sum;
    }
    return {
      rules: this.#rules,
      held,
      topNumbers: this.#numbers.top(topLimit, now),
      topPrefixes: this.#prefixes.top(topLimit, now),
      spend: await this.spend(),
    };
  }

  /** Against the limits there are: of all projects, or of this one too. */
  async spend(project?: string): Promise<SpendStatus[]> {
    const rules = this.#rules;
    const periods = spendPeriodsOf(this.#clock.now(), project).filter(
      (period) => rules[ruleOfSpend(period)] > 0,
    );
    const amounts = await this.#counters.read(periods.map(spendKey));
    return periods.map((period, n) => ({
      ...period,
      amount: (amounts[n] ?? 0) / spendUnit,
      limit: rules[ruleOfSpend(period)],
    }));
  }

  #holdBySequence(
    { project, messageClass, digits }: CountedText,
    { sequenceLength }: GuardRules,
  ): Hold | undefined {
    if (sequenceLength === 0) return undefined;
    const group = JSON.stringify([project, messageClass]);
    const now = this.#clock.monotonic();
    const length = this.#sequences.note(group, digits, now);
    if (length < sequenceLength) return undefined;
    return {
      reason: "sequence",
      error: `The guard held it: ${length} recipients in a row count up or down, as in SMS pumping, and ${this.#place}sequenceLength is ${sequenceLength}. Where the numbers are your own, raise it or set it to 0, and send the text again.`,
    };
  }

  #held(text: CountedText, hold: Hold): Hold {
    this.#groups.note(this.#tallyOf(hold.reason));
    return this.#tellHeld(text, hold);
  }

  #tellHeld({ digits, messageClass, project }: CountedText, hold: Hold): Hold {
    const now = this.#clock.monotonic();
    this.#numbers.note(digits, now);
    this.#prefixes.note(digits.slice(0, -3), now);
    this.#options.onHeld?.({ ...hold, digits, messageClass, project });
    return hold;
  }

  #tellSpend({ spend, before, after, limit }: SpendChange): void {
    for (const percent of [50, 80, 100] as const) {
      const share = (limit * percent) / 100;
      if (before < share && after >= share) {
        this.#tellAlert(spend, percent, after, limit);
      }
    }
  }

  /**
   * The store's counts cross a share once. That a limit is spent is known by the
   * first text that it refuses, too: it is told once by each process.
   */
  #tellAlert(
    spend: SpendPeriod,
    percent: SpendAlert["percent"],
    amount: number,
    limit: number,
  ): void {
    if (percent === 100) {
      const key = spendKey(spend);
      if (this.#spent.has(key)) return;
      keepNewest(this.#spent, key);
    }
    this.#options.onSpendAlert?.({
      ...spend,
      percent,
      amount: amount / spendUnit,
      limit: limit / spendUnit,
    });
  }

  #tallyOf(reason: HoldReason): GuardAddition {
    const key = heldKey(reason, this.#hour());
    return { key, by: 1, windowMs: 25 * hourMs };
  }

  #hour(): number {
    return Math.floor(this.#clock.now() / hourMs);
  }
}

function keepNewest(kept: Set<string>, key: string): void {
  kept.add(key);
  if (kept.size <= maxKept) return;
  const [oldest = ""] = kept;
  kept.delete(oldest);
}

function heldKey(reason: HoldReason, hour: number): string {
  return toGuardKey("held", reason, hour);
}
