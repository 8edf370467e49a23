/** Outcomes on their way into the ledger of the in-memory store. */

import {
  CarillonError,
  type DeliveryOutcome,
  type FencedOutcome,
  isSettled,
  mergeStates,
  type RangeOutcome,
  type Receipt,
  type RefusedOutcome,
  refusedOutcome,
  stateAfterReceipt,
} from "@carillon/core";
import type { Holds } from "./holds.ts";
import { type DeliveryRow, deliveryKey, type Hold } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

/** Writes a range's outcomes. */
export function addOutcomes(
  tables: Tables,
  holds: Holds,
  outcomes: readonly RangeOutcome[],
): RefusedOutcome[] {
  return writeEach(tables, holds, outcomes, (outcome) => {
    const { lease, billable = false, round } = outcome;
    const known = tables.deliveries.get(deliveryKey(outcome));
    // An earlier run of the range got further: what that one wrote is kept. So
    // is a claim, whose fence an attempt of this range does not know.
    if (known && isSettled(known.state)) return;
    if (known && known.fence > 0 && lease) return;
    const row = known ?? {
      messageSeq: outcome.messageSeq,
      target: outcome.target,
      state: "waiting",
      attempts: 0,
      billable,
      ...(round !== undefined && { round }),
      fence: 0,
      earlierAttempts: [],
      receipts: [],
      actions: [],
    };
    merge(tables, row, outcome, lease && holds.grant(lease));
  });
}

/** Writes the outcomes of claims, as far as they still hold. */
export function recordOutcomes(
  tables: Tables,
  holds: Holds,
  outcomes: readonly FencedOutcome[],
): RefusedOutcome[] {
  return writeEach(tables, holds, outcomes, (outcome) => {
    const { fence, previousAttempt } = outcome;
    const row = tables.deliveries.get(deliveryKey(outcome));
    if (row?.fence !== fence) return;
    const earlierAttempts = previousAttempt
      ? [...row.earlierAttempts, previousAttempt]
      : row.earlierAttempts;
    merge(tables, { ...row, earlierAttempts }, outcome, undefined);
  });
}

/** One that can never be written is replaced, and holds up no other. */
function writeEach<Outcome extends DeliveryOutcome>(
  { attempt }: Tables,
  holds: Holds,
  outcomes: readonly Outcome[],
  write: (outcome: Outcome) => void,
): RefusedOutcome[] {
  /** Answers why it was refused, if so. */
  function tryWrite(outcome: Outcome): string | undefined {
    try {
      attempt(() => write(outcome));
      return undefined;
    } catch (error) {
      if (!isRefused(error)) throw error;
      return error.message;
    }
  }

  const refused: RefusedOutcome[] = [];
  for (const outcome of outcomes) {
    const reason = tryWrite(outcome);
    if (reason === undefined) continue;
    const { messageSeq, target } = outcome;
    refused.push({ messageSeq, target, reason });
    const failure = refusedOutcome(outcome, reason, holds.now());
    // Of what was refused only the claim is left. Should this be refused too,
    // there is no delivery that it could be told of.
    const { fence } = outcome as Partial<FencedOutcome>;
    tryWrite({ ...failure, ...(fence !== undefined && { fence }) } as Outcome);
  }
  return refused;
}

function isRefused(error: unknown): error is CarillonError {
  return error instanceof CarillonError && error.code === "STORAGE_REFUSED";
}

/** Writes an outcome, and the receipts that came before the id they name. */
function merge(
  tables: Tables,
  row: DeliveryRow,
  outcome: DeliveryOutcome,
  granted: Hold | undefined,
): void {
  const { deliveries, earlyReceipts } = tables;
  const state = mergeStates(row.state, granted ? "sending" : outcome.state);
  const hold = isSettled(state) ? undefined : granted;
  const { nextAttemptAt: _, hold: _ended, ...kept } = row;
  const { attempts, lastAttempt, externalId, provider, segments } = outcome;
  const nextAttemptAt =
    isSettled(state) || hold ? undefined : outcome.nextAttemptAt;
  let merged = deliveries.put(deliveryKey(row), {
    ...kept,
    state,
    attempts,
    ...(lastAttempt !== undefined && { lastAttempt }),
    ...(externalId !== undefined && { externalId }),
    ...(provider !== undefined && { provider }),
    ...(segments !== undefined && { segments }),
    ...(hold && { hold }),
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
  });
  for (const [key, receipt] of earlyReceipts.entries()) {
    if (!isAbout(receipt, merged)) continue;
    merged = applyReceipt(tables, merged, receipt);
    earlyReceipts.delete(key);
  }
  if (!isSettled(row.state) && isSettled(merged.state)) {
    const first = isSettled(state) ? state : merged.state;
    countSettled(tables, { ...outcome, state: first });
  }
}

export function isAbout(receipt: Receipt, row: DeliveryRow): boolean {
  return (
    row.provider === receipt.provider && row.externalId === receipt.externalId
  );
}

/** Answers the delivery as it is now: receipts settle, nothing is left to do. */
export function applyReceipt(
  { deliveries }: Tables,
  row: DeliveryRow,
  { provider: _provider, externalId: _id, ...receipt }: Receipt,
): DeliveryRow {
  const receipts = [...row.receipts, receipt];
  const state = stateAfterReceipt(row.state, receipt.event);
  if (state === row.state) {
    return deliveries.put(deliveryKey(row), { ...row, receipts });
  }
  const { nextAttemptAt: _, hold: _ended, ...rest } = row;
  return deliveries.put(deliveryKey(row), { ...rest, state, receipts });
}
