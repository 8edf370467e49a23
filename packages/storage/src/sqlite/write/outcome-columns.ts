/**
 * Outcomes on their way to the writer thread, column by column: a list of
 * hundreds crosses several times faster than as objects, and a column in which
 * nothing is set takes no room at all.
 */

import type {
  Attempt,
  ChunkOutcome,
  DeliveryOutcome,
  EpochMs,
  FencedOutcome,
  Lease,
} from "@carillon/core";
import { errorClassCodes, stateCodes } from "../schema/codes.ts";

/** One value per outcome; `null`: none of them has one. */
export type Column<Value> = readonly (Value | null)[] | null;

export interface OutcomeColumns {
  readonly size: number;
  /** When they were handed over: the time of those that are refused. */
  readonly writtenAt: EpochMs;
  readonly messageSeq: Column<number>;
  readonly target: Column<number>;
  readonly state: Column<number>;
  readonly attempts: Column<number>;
  readonly nextAttemptAt: Column<number>;
  readonly fence: Column<number>;
  readonly owner: Column<string>;
  /** On the store's monotonic time, in whole milliseconds. */
  readonly leaseUntil: Column<number>;
  readonly billable: Column<number>;
  readonly round: Column<number>;
  readonly lastAt: Column<number>;
  readonly lastDurationMs: Column<number>;
  readonly lastStatusCode: Column<number>;
  readonly lastErrorClass: Column<number>;
  readonly lastError: Column<string>;
  readonly lastProvider: Column<string>;
  readonly provider: Column<string>;
  readonly externalId: Column<string>;
  readonly segments: Column<number>;
  readonly previousAttempt: Column<AttemptValues>;
}

/** An attempt's columns, in the order of the INSERT. */
export type AttemptValues = [
  at: number,
  durationMs: number,
  statusCode: number | null,
  errorClass: number | null,
  error: string | null,
  provider: string | null,
];

export type Outcome = DeliveryOutcome &
  Partial<
    Pick<ChunkOutcome, "billable" | "round" | "lease"> &
      Pick<FencedOutcome, "fence" | "previousAttempt">
  >;

/** `endOf`: when a lease that is granted now ends. */
export function toOutcomeColumns(
  outcomes: readonly Outcome[],
  writtenAt: EpochMs,
  endOf?: (lease: Lease) => number,
): OutcomeColumns {
  function column<Value>(
    pick: (outcome: Outcome) => Value | undefined,
  ): Column<Value> {
    let values: (Value | null)[] | null = null;
    let row = 0;
    for (const outcome of outcomes) {
      const value = pick(outcome);
      if (value !== undefined) {
        values ??= new Array<Value | null>(outcomes.length).fill(null);
        values[row] = value;
      }
      row++;
    }
    return values;
  }
  return {
    size: outcomes.length,
    writtenAt,
    messageSeq: column((it) => it.messageSeq),
    target: column((it) => it.target),
    state: column((it) => stateCodes[it.lease ? "sending" : it.state]),
    attempts: column((it) => it.attempts),
    nextAttemptAt: column((it) => (it.lease ? undefined : it.nextAttemptAt)),
    fence: column((it) => it.fence),
    owner: column((it) => it.lease?.owner),
    leaseUntil: column((it) => it.lease && endOf?.(it.lease)),
    billable: column((it) => (it.billable ? 1 : undefined)),
    round: column((it) => it.round),
    lastAt: column((it) => it.lastAttempt?.at),
    lastDurationMs: column((it) => it.lastAttempt?.durationMs),
    lastStatusCode: column((it) => it.lastAttempt?.statusCode),
    lastErrorClass: column((it) => errorClassCode(it.lastAttempt)),
    lastError: column((it) => it.lastAttempt?.error),
    lastProvider: column((it) => it.lastAttempt?.provider),
    provider: column((it) => it.provider),
    externalId: column((it) => it.externalId),
    segments: column((it) => it.segments),
    previousAttempt: column((it) => attemptValues(it.previousAttempt)),
  };
}

function attemptValues(attempt: Attempt | undefined) {
  if (attempt === undefined) return undefined;
  const values: AttemptValues = [
    attempt.at,
    attempt.durationMs,
    attempt.statusCode ?? null,
    errorClassCode(attempt) ?? null,
    attempt.error ?? null,
    attempt.provider ?? null,
  ];
  return values;
}

function errorClassCode(attempt: Attempt | undefined): number | undefined {
  return attempt?.errorClass && errorClassCodes[attempt.errorClass];
}
