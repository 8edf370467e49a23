/**
 * Deliveries as they stand in their table: each column once, with what an
 * outcome does to it. A new column is a line here and one in the migration.
 */

import type { SQLInputValue } from "node:sqlite";
import type {
  Attempt,
  DeliveryOutcome,
  ExtraData,
  FencedOutcome,
  Lease,
  RangeOutcome,
} from "@carillon/core";
import { defaultUrgency, type Urgency } from "@carillon/core/rules";
import {
  type AnyCodec,
  checkFits,
  code,
  epochMs,
  flag,
  integer,
  json,
  type OptionalCodec,
  optional,
  text,
} from "./codec.ts";
import {
  attemptOutcomeCodes,
  errorClassCodes,
  partStateCodes,
  queueStates,
  receiptEventCodes,
  stateCodes,
  waitReasonCodes,
} from "./codes.ts";
import { defineTable, type RowOf } from "./table.ts";

/** An outcome by either of its ways into the ledger. */
export type Outcome = DeliveryOutcome &
  Partial<
    Pick<RangeOutcome, "billable" | "urgency" | "round" | "pull" | "lease"> &
      Pick<FencedOutcome, "fence" | "previousAttempt">
  >;

/** When a lease that is granted now ends: monotonic, whole milliseconds. */
export type EndOf = (lease: Lease) => number;

/**
 * What an outcome does to the column of a delivery that is there already:
 * nothing; it sets it; it sets it, and clears it once the delivery is settled, or
 * once it is final; it sets it if it has a value for it; it merges the members of
 * a JSON object into it; it sets it together with all else of an attempt, if it
 * has one.
 */
export type Effect =
  | "none"
  | "set"
  | "setWhileOpen"
  | "setUntilFinal"
  | "setIfGiven"
  | "mergeIfGiven"
  | "setWithAttempt";

/**
 * Functions for the value of a column, as its codec would give it: hundreds of
 * thousands are called a second, and one of each column's own is fastest.
 */
type PickValue = (
  outcome: Outcome,
  endOf: EndOf | undefined,
) => SQLInputValue | undefined;
type PickFromAttempt = (attempt: Attempt) => SQLInputValue | undefined;

/** The usual one where none is given. */
const urgency: OptionalCodec<Urgency> = {
  isOptional: true,
  encode: (value = defaultUrgency) => value,
  decode: (value) => value as Urgency,
};

const attemptShape = {
  at: ofAttempt(epochMs, (it) => it.at),
  durationMs: ofAttempt(integer, (it) => it.durationMs),
  statusCode: ofAttempt(optional(integer), (it) => it.statusCode),
  errorClass: ofAttempt(
    optional(code(errorClassCodes)),
    (it) => it.errorClass && errorClassCodes[it.errorClass],
  ),
  error: ofAttempt(optional(text), (it) => it.error),
  provider: ofAttempt(optional(text), (it) => it.provider),
  outcome: ofAttempt(
    optional(code(attemptOutcomeCodes)),
    (it) => it.outcome && attemptOutcomeCodes[it.outcome],
  ),
  queuedMs: ofAttempt(optional(integer), (it) => it.queuedMs),
  dnsMs: ofAttempt(optional(integer), (it) => it.dnsMs),
  connectMs: ofAttempt(optional(integer), (it) => it.connectMs),
  tlsMs: ofAttempt(optional(integer), (it) => it.tlsMs),
  firstByteMs: ofAttempt(optional(integer), (it) => it.firstByteMs),
};

export const deliveryShape = {
  messageSeq: written(integer, "none", (it) => it.messageSeq),
  target: written(integer, "none", (it) => it.target),
  state: written(code(stateCodes), "set", (it) =>
    it.lease ? stateCodes.sending : stateCodes[it.state],
  ),
  attempts: written(integer, "set", (it) => it.attempts),
  nextAttemptAt: written(optional(epochMs), "setUntilFinal", (it) =>
    it.lease ? undefined : it.nextAttemptAt,
  ),
  // Grows with claims; what an outcome adds has none yet.
  fence: integer,
  owner: written(optional(text), "setWhileOpen", (it) => it.lease?.owner),
  leaseUntil: written(
    optional(integer),
    "setWhileOpen",
    (it, endOf) => it.lease && endOf?.(it.lease),
  ),
  billable: written(flag, "none", (it) => (it.billable ? 1 : undefined)),
  urgency: written(urgency, "none", (it) => it.urgency),
  round: written(optional(integer), "none", (it) => it.round),
  mailbox: written(optional(integer), "none", (it) => it.pull?.mailbox),
  queueState: written(
    optional(integer),
    "none",
    (it) => it.pull && queueStates.ready,
  ),
  orderingKey: written(optional(text), "none", (it) => it.pull?.orderingKey),
  expiresAt: written(optional(epochMs), "none", (it) => it.pull?.expiresAt),
  provider: written(optional(text), "setIfGiven", (it) => it.provider),
  attemptAt: written(optional(epochMs), "setWhileOpen", (it) =>
    it.lease && it.billable ? it.lastAttempt?.at : undefined,
  ),
  // Of an intent; its outcome has it among the parts.
  attemptExternalId: written(optional(text), "setWhileOpen", () => undefined),
  segments: written(optional(integer), "setIfGiven", (it) => it.segments),
  senderData: written(
    optional(json<ExtraData>()),
    "mergeIfGiven",
    (it) => it.senderData && JSON.stringify(it.senderData),
  ),
  receiptExpected: written(flag, "setUntilFinal", (it) =>
    it.receiptExpected ? 1 : undefined,
  ),
  pollAt: written(optional(epochMs), "setUntilFinal", (it) => it.pollAt),
  failsOver: written(flag, "setUntilFinal", (it) =>
    it.failsOver ? 1 : undefined,
  ),
  idleFrom: written(optional(epochMs), "setUntilFinal", (it) => it.idleFrom),
  waitReason: written(
    optional(code(waitReasonCodes)),
    "setWhileOpen",
    (it) => it.waitReason && waitReasonCodes[it.waitReason],
  ),
};

/** The attempts before the last one, in a table of their own. */
export const attempts = defineTable("attempts", attemptShape);

/** @throws TypeError when a value would not be kept as it is */
export function checkAttempt(row: readonly SQLInputValue[]): void {
  for (const [n, { isText }] of Object.values(attemptShape).entries()) {
    const name = `attempts.${attempts.names[n]}`;
    checkFits(row[n] ?? null, isText === true, name);
  }
}

/** The last one, in its delivery's own row. */
export const lastAttempts = defineTable("deliveries", attemptShape, {
  prefix: "last_",
});

/** `from`: where its columns begin; `undefined` when there was none. */
export function toLastAttempt(
  row: RowOf<Attempt>,
  from: number,
): Attempt | undefined {
  return row[from] === null ? undefined : lastAttempts.fromRow(row, from);
}

/** Parts, without the delivery that they are of. */
export const parts = defineTable("parts", {
  attempt: integer,
  entry: text,
  externalId: text,
  state: code(partStateCodes),
});

const reportShape = {
  entry: text,
  externalId: text,
  event: code(receiptEventCodes),
  at: epochMs,
  code: optional(text),
  text: optional(text),
};

/** What a carrier reported, without the delivery it is about. */
export const reports = defineTable("receipts", reportShape);

/** Receipts; without a key until a part has that id. */
export const receipts = defineTable("receipts", {
  ...reportShape,
  messageSeq: optional(integer),
  target: optional(integer),
});

export interface OutcomeColumn {
  readonly name: string;
  readonly effect: Effect;
  readonly isText: boolean;
  readonly pick: PickValue;
  /** Stands for a missing value; `undefined`: none may be missing. */
  readonly absent: SQLInputValue | undefined;
}

/** What outcomes write, in the order in which it crosses to the writer. */
export const outcomeColumns: readonly OutcomeColumn[] = [
  ...ofDelivery(),
  ...ofLastAttempt(),
];

function written<C extends AnyCodec>(
  codec: C,
  effect: Effect,
  pick: PickValue,
): C & { readonly effect: Effect; readonly pick: PickValue } {
  return { ...codec, effect, pick };
}

function ofDelivery(): OutcomeColumn[] {
  const { names } = defineTable("deliveries", deliveryShape);
  return Object.values(deliveryShape).flatMap((column, n) => {
    const name = names[n];
    if (name === undefined || !("pick" in column)) return [];
    const { effect, pick, encode, isText } = column;
    const absent =
      "isOptional" in column ? encode(undefined as never) : undefined;
    return [{ name, effect, isText: isText === true, pick, absent }];
  });
}

function ofAttempt<C extends AnyCodec>(codec: C, pick: PickFromAttempt) {
  return { ...codec, pick };
}

function ofLastAttempt(): OutcomeColumn[] {
  return Object.values(attemptShape).map(({ pick, isText }, n) => ({
    name: lastAttempts.names[n] ?? "",
    isText: isText === true,
    effect: "setWithAttempt",
    pick: ({ lastAttempt }) => lastAttempt && pick(lastAttempt),
    absent: null,
  }));
}
