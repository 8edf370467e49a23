/** Outcomes on their way into the ledger of the in-memory store. */

import {
  CarillonError,
  type DeliveryOutcome,
  defaultUrgency,
  type FencedOutcome,
  type FinishReport,
  failedByReceipt,
  isFinal,
  isSettled,
  mergeReceipt,
  mergeSenderData,
  mergeStates,
  type RangeOutcome,
  type Receipt,
  type RefusedOutcome,
  refusedOutcome,
  type UnqueuedDelivery,
} from "@carillon/core";
import { endIfCancelled } from "./cancellation.ts";
import type { Holds } from "./holds.ts";
import { admitDelivery } from "./mailbox-admission.ts";
import { type DeliveryRow, deliveryKey, type Hold } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

/** Writes a range's outcomes. */
export function addOutcomes(
  tables: Tables,
  holds: Holds,
  outcomes: readonly RangeOutcome[],
): Pick<FinishReport, "refused" | "unqueued"> {
  const unqueued: UnqueuedDelivery[] = [];
  const refused = writeEach(tables, holds, outcomes, (outcome) => {
    const { lease, billable = false, round, pull } = outcome;
    const { urgency = defaultUrgency } = outcome;
    const known = tables.deliveries.get(deliveryKey(outcome));
    // An earlier run of the range got further: what that one wrote is kept. So
    // is a claim, whose fence an attempt of this range does not know.
    if (known && (isSettled(known.state) || known.pull)) return;
    if (known && known.fence > 0 && (lease || known.state === "sending")) {
      return;
    }
    const row = known ?? {
      messageSeq: outcome.messageSeq,
      target: outcome.target,
      state: "waiting",
      attempts: 0,
      billable,
      urgency,
      ...(round !== undefined && { round }),
      ...(pull && { pull }),
      fence: 0,
      earlierAttempts: [],
      parts: [],
      receipts: [],
      actions: [],
    };
    const merged = merge(tables, row, outcome, lease && holds.grant(lease));
    if (endIfCancelled(tables, merged, holds.now())) return;
    const reason = admitDelivery(tables, merged, holds.now());
    if (reason === undefined) return;
    const { messageSeq, target } = outcome;
    unqueued.push({ messageSeq, target, reason });
  });
  return { refused, ...(unqueued.length > 0 && { unqueued }) };
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
    // Of an attempt that was found lost before its outcome came after all, those
    // before it are in the list already.
    const isListed =
      row.state === "unknown" && row.attempts >= outcome.attempts;
    const earlierAttempts =
      previousAttempt && !isListed
        ? [...row.earlierAttempts, previousAttempt]
        : row.earlierAttempts;
    const listed = { ...row, earlierAttempts };
    const merged = merge(tables, listed, outcome, undefined);
    endIfCancelled(tables, merged, holds.now());
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

/** Writes an outcome, and the receipts that came before the ids they name. */
function merge(
  tables: Tables,
  row: DeliveryRow,
  outcome: DeliveryOutcome,
  granted: Hold | undefined,
): DeliveryRow {
  const { deliveries } = tables;
  const reported = granted ? "sending" : outcome.state;
  const state = mergeStates(row.state, reported);
  const hold = isSettled(state) ? undefined : granted;
  const {
    nextAttemptAt: _,
    waitReason: _over,
    hold: _ended,
    ...kept
  } = unfinished(row);
  const { attempts, lastAttempt, provider, segments } = outcome;
  const { receiptExpected, pollAt, failsOver, idleFrom } = outcome;
  const { senderData, parts = [] } = outcome;
  const mayGoOn = isSettled(state) ? state === "sent" : !hold;
  const nextAttemptAt =
    mayGoOn && state === reported ? outcome.nextAttemptAt : undefined;
  // Without a provider nobody can report on them. Told twice, they are there.
  const isKnown = row.parts.some(({ attempt }) => attempt === attempts);
  const added = (isKnown || provider === undefined ? [] : parts).map(
    ({ externalId, state: known = "sent" as const }) => ({
      attempt: attempts,
      entry: provider ?? "",
      externalId,
      state: known,
    }),
  );
  const { resentAfter = 0 } = row;
  const hasRested = row.parts.some(
    ({ attempt }) => attempt < attempts && attempt > resentAfter,
  );
  const merged = deliveries.put(deliveryKey(row), {
    ...kept,
    state,
    attempts,
    parts: [...row.parts, ...added],
    ...(lastAttempt !== undefined && { lastAttempt }),
    ...(provider !== undefined && { provider }),
    ...(segments !== undefined && { segments }),
    ...(senderData && {
      senderData: mergeSenderData(row.senderData, senderData),
    }),
    ...(hold && { hold }),
    ...(hold && row.billable && lastAttempt && { attemptAt: lastAttempt.at }),
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
    ...(!isSettled(state) &&
      outcome.waitReason && {
        waitReason: outcome.waitReason,
      }),
    ...(!isFinal(state) && {
      ...(receiptExpected && { receiptExpected }),
      ...(pollAt !== undefined && { pollAt }),
      ...(failsOver && { failsOver }),
      ...(idleFrom !== undefined && { idleFrom }),
    }),
  });
  if (!isSettled(row.state) && isSettled(state) && !hasRested) {
    countSettled(tables, { ...outcome, state });
  }
  return joinReceipts(tables, merged, added.length);
}

/** Applies what was reported of its last `limit` parts before their ids came. */
export function joinReceipts(
  tables: Tables,
  row: DeliveryRow,
  limit: number,
): DeliveryRow {
  const { earlyReceipts } = tables;
  let joined = row;
  for (const [key, receipt] of earlyReceipts.entries()) {
    const part = findPart(joined, receipt, limit);
    if (part < 0) continue;
    joined = applyReceipt(tables, joined, part, receipt);
    earlyReceipts.delete(key);
  }
  return joined;
}

/** The newest part that a receipt names; of the last `limit` ones. */
export function findPart(
  { parts }: DeliveryRow,
  { entry, externalId }: Pick<Receipt, "entry" | "externalId">,
  limit = parts.length,
): number {
  const found = parts.findLastIndex(
    (it) => it.entry === entry && it.externalId === externalId,
  );
  return found >= parts.length - limit ? found : -1;
}

/** Answers the delivery as it is now. */
export function applyReceipt(
  { deliveries }: Tables,
  row: DeliveryRow,
  part: number,
  receipt: Receipt,
): DeliveryRow {
  const attempt = row.parts[part]?.attempt ?? 0;
  const ofAttempt = row.parts.filter((it) => it.attempt === attempt);
  const first = row.parts.findIndex((it) => it.attempt === attempt);
  const effect = mergeReceipt(
    {
      state: row.state,
      isLastAttempt: attempt === row.attempts,
      failsOver: row.failsOver === true,
      parts: ofAttempt.map(({ state }) => state),
      part: part - first,
    },
    receipt.event,
  );
  const parts = row.parts.map((it, n) =>
    n === part ? { ...it, state: effect.part } : it,
  );
  const { state } = effect;
  const receipts = [...row.receipts, receipt];
  const known = { ...row, parts, receipts };
  const { lastAttempt } = row;
  if (state === row.state || state === "sent") {
    return deliveries.put(deliveryKey(row), { ...known, state });
  }
  const { nextAttemptAt: _, hold: _ended, ...rest } = unfinished(known);
  return deliveries.put(deliveryKey(row), {
    ...rest,
    state,
    ...(state === "retrying" && { nextAttemptAt: receipt.at }),
    ...(state === "retrying" &&
      lastAttempt && { lastAttempt: failedByReceipt(lastAttempt, receipt) }),
  });
}

/** Without what its last attempt left to be done. */
export function unfinished({
  receiptExpected: _expected,
  pollAt: _pollAt,
  failsOver: _failsOver,
  attemptAt: _attemptAt,
  attemptExternalId: _attemptExternalId,
  ...row
}: DeliveryRow): DeliveryRow {
  return row;
}
