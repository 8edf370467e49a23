/**
 * How each provider of a gateway fares: counted from its hooks, in this process
 * and in bounded memory. A few hundred kilobytes for each provider at most.
 */

import { type Clock, systemClock } from "../clock.ts";
import { ProviderError } from "../errors.ts";
import type { Gateway } from "../gateway.ts";
import type { MessageStatus } from "../message-status.ts";
import { isProvidersFault } from "../policy/delivery-policy.ts";
import type { ProviderAttempt } from "../provider-sender.ts";
import { type ErrorCount, ErrorCounts } from "./error-counts.ts";
import { type AttemptCounts, MinuteCounts } from "./minute-counts.ts";
import { type ReceiptCounts, ReceiptShare } from "./receipt-share.ts";

/** What was counted of one provider. */
export interface ProviderHealthReport {
  readonly lastFiveMinutes: AttemptCounts;
  readonly lastHour: AttemptCounts;
  readonly sinceStart: AttemptCounts;
  /** The code seen last comes first; 50 at most. */
  readonly errors: readonly ErrorCount[];
  /** When it last accepted a text, milliseconds since the epoch. */
  readonly lastAcceptedAt?: number;
  /** How long the last 256 accepted texts took; absent: there were none. */
  readonly latencyMs?: Latency;
  /** Reports that came in. */
  readonly receipts: number;
  readonly receiptShare: ReceiptCounts;
}

/** Whole milliseconds from the request to the answer. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

const durationsKept = 256;
const maxCodeLength = 64;

class Counted {
  readonly attempts: MinuteCounts;
  readonly errors = new ErrorCounts();
  readonly texts = new ReceiptShare();
  /** The newest last. */
  readonly durationsMs: number[] = [];
  receipts = 0;
  lastAcceptedAt: number | undefined;

  constructor(clock: Clock) {
    this.attempts = new MinuteCounts(clock);
  }
}

/** Counts what providers do; see {@link ProviderHealthReport}. */
export class ProviderHealth {
  readonly #clock: Clock;
  readonly #gateway: Pick<Gateway, "onAttempt" | "onStatus" | "hasProvider">;
  readonly #counted = new Map<string, Counted>();

  constructor(
    gateway: Pick<Gateway, "onAttempt" | "onStatus" | "hasProvider">,
    { clock = systemClock }: { readonly clock?: Clock } = {},
  ) {
    this.#gateway = gateway;
    this.#clock = clock;
    gateway.onAttempt.add((attempt) => this.#countAttempt(attempt));
    gateway.onStatus.add((status) => this.#countStatus(status));
  }

  reportOf(provider: string): ProviderHealthReport {
    const counted = this.#counted.get(provider) ?? new Counted(this.#clock);
    const { attempts, errors, texts, lastAcceptedAt, receipts } = counted;
    const latencyMs = latencyOf(counted.durationsMs);
    return {
      lastFiveMinutes: attempts.ofLast(5),
      lastHour: attempts.ofLast(60),
      sinceStart: attempts.total,
      errors: errors.list(),
      ...(lastAcceptedAt !== undefined && { lastAcceptedAt }),
      ...(latencyMs && { latencyMs }),
      receipts,
      receiptShare: texts.counts,
    };
  }

  #countAttempt(attempt: ProviderAttempt): void {
    const { provider, outcome, error, durationMs, msgid } = attempt;
    const counted = this.#of(provider);
    counted.attempts.count(outcome, isProvidersFault(error));
    if (outcome === "accepted") {
      counted.lastAcceptedAt = this.#clock.now();
      counted.durationsMs.push(Math.round(durationMs));
      if (counted.durationsMs.length > durationsKept) {
        counted.durationsMs.shift();
      }
      if (msgid && attempt.receiptExpected) counted.texts.accepted(msgid);
      return;
    }
    const code = error instanceof ProviderError ? error.code : undefined;
    const errorName = error instanceof Error ? error.name : "Error";
    // Its class is that of a failure, which it may not be.
    const errorClass = outcome === "unknown" ? "unknown" : errorName;
    counted.errors.count(
      { errorClass, ...(code !== undefined && { code: shortCode(code) }) },
      this.#clock.now(),
    );
  }

  #countStatus({ entry, msgid, isFinal, kind, statusCode }: MessageStatus) {
    if (entry === null) return;
    const counted = this.#of(entry);
    counted.receipts++;
    if (isFinal && msgid) counted.texts.settled(msgid);
    if (kind !== "error" && kind !== "expired") return;
    const code =
      typeof statusCode === "string" || typeof statusCode === "number"
        ? shortCode(statusCode)
        : kind;
    counted.errors.count({ errorClass: "receipt", code }, this.#clock.now());
  }

  #of(provider: string): Counted {
    let counted = this.#counted.get(provider);
    if (counted === undefined) {
      for (const name of this.#counted.keys()) {
        if (!this.#gateway.hasProvider(name)) this.#counted.delete(name);
      }
      counted = new Counted(this.#clock);
      this.#counted.set(provider, counted);
    }
    return counted;
  }
}

/** Carriers decide over codes, and so over how long they are. */
function shortCode(code: string | number): string | number {
  return typeof code === "string" ? code.slice(0, maxCodeLength) : code;
}

function latencyOf(durationsMs: readonly number[]): Latency | undefined {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const [p50, p95, max] = [at(0.5), at(0.95), sorted.at(-1)];
  if (p50 === undefined || p95 === undefined || max === undefined) {
    return undefined;
  }
  return { p50, p95, max };
}
