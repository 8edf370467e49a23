/** Writes of deliveries that are due, and of what came of them. */

import type { DatabaseSync } from "node:sqlite";
import type { AttemptIntent, EpochMs } from "@carillon/core";
import {
  cancelReasons,
  decideClaim,
  stateBeforeClaim,
  takeByUrgency,
  type Urgency,
} from "@carillon/core/rules";
import { stateCodes } from "../schema/codes.ts";
import { dueSql, waitingSql } from "../schema/due-deliveries.ts";
import {
  type DueRow,
  toClaimedDelivery,
  toClaimFacts,
} from "../schema/due-row.ts";
import { prepareQuery } from "../schema/query.ts";
import { createCancellation } from "./cancellation.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges } from "./message-counts.ts";
import type { OutcomeColumns } from "./outcome-columns.ts";
import { createOutcomeWrites } from "./outcome-writes.ts";
import type { StateRules } from "./state-rules.ts";
import { SettledCounts } from "./statistics-writes.ts";

const { sending, sent } = stateCodes;

/** Times that a claim looks for more of an urgency in place of what it cancelled. */
const maxRounds = 8;

/** A delivery that waited for a reason. */
export type ReleasedRow = [
  messageSeq: number,
  target: number,
  attempts: number,
];

/**
 * A row that cannot be read is claimed all the same: still due, it would stand
 * before all others for ever. Whoever claimed it reports it.
 */
export function decide(row: DueRow): ReturnType<typeof decideClaim> {
  try {
    return decideClaim(toClaimFacts(row));
  } catch {
    return "send";
  }
}

/** Whether its last attempt was accepted, and it is due after silence. */
function wasSent(row: DueRow): boolean {
  try {
    return stateBeforeClaim(toClaimedDelivery(row)) === "sent";
  } catch {
    return false;
  }
}

/** Parameters: owner, end of the lease, message, target. */
export function createClaim(db: DatabaseSync) {
  return db.prepare(
    `UPDATE deliveries SET state = ${sending}, fence = fence + 1, owner = ?,
       lease_until = ?, next_attempt_at = NULL, wait_reason = NULL
     WHERE message_seq = ? AND target = ?`,
  );
}

export function createDeliveryWrites(
  db: DatabaseSync,
  rules: StateRules,
  journal: ChangeJournal,
) {
  const due = prepareQuery<DueRow>(db, dueSql);
  const claim = createClaim(db);
  /** Parameters: provider, when, id, message, target, fence. */
  const intend = db.prepare(
    `UPDATE deliveries SET provider = coalesce(?, provider), attempt_at = ?,
       attempt_external_id = ?
     WHERE message_seq = ? AND target = ? AND fence = ?
       AND owner IS NOT NULL`,
  );
  const waiting = prepareQuery<ReleasedRow>(db, waitingSql);
  /** Parameters: now, message, target. */
  const makeDue = db.prepare(
    `UPDATE deliveries SET next_attempt_at = ?, wait_reason = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  /** No other attempt is made. Parameters: message, target. */
  const rest = db.prepare(
    `UPDATE deliveries SET state = ${sent}, next_attempt_at = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  const cancel = createCancellation(db);
  const outcomes = createOutcomeWrites(db, rules, journal);

  return {
    /**
     * Answers the rows as they were before; their fence is one more now.
     * The lease ends on the store's monotonic time.
     */
    claimDue(
      owner: string,
      leaseUntil: number,
      now: EpochMs,
      limit: number,
      urgencies: readonly Urgency[],
    ): DueRow[] {
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();

      /** Claims it, unless it is not wanted any more; answers whether it did. */
      function take(row: DueRow): boolean {
        const [messageSeq, target, state] = row;
        const decision = decide(row);
        if (decision === "send") {
          claim.run(owner, leaseUntil, messageSeq, target);
          countChanges.move(messageSeq, target, state, sending);
          return true;
        }
        if (wasSent(row)) {
          // A carrier has it, and what it reports still counts.
          rest.run(messageSeq, target);
          countChanges.moveBack(messageSeq, state, sent);
        } else {
          const reason = cancelReasons[decision];
          cancel(row, reason, now, countChanges, settledCounts);
        }
        return false;
      }

      const claimed = takeByUrgency(limit, urgencies, (urgency, most) => {
        const taken: DueRow[] = [];
        // Each round that cancels makes room for as many more; the rest of a
        // long queue is still due, and other writes come before it.
        for (let round = 0; round < maxRounds; round++) {
          const wanted = most - taken.length;
          const rows = wanted > 0 ? due.all(urgency, now, wanted) : [];
          for (const row of rows) if (take(row)) taken.push(row);
          if (rows.length < wanted || wanted === 0) break;
        }
        return taken;
      });
      journal.addCounts(countChanges, now);
      journal.addSettled(settledCounts);
      return claimed;
    },
    recordIntents: (intents: readonly AttemptIntent[]): boolean[] =>
      intents.map((intent) => {
        const { provider, at, externalId, messageSeq, target, fence } = intent;
        const { changes } = intend.run(
          provider ?? null,
          at,
          externalId ?? null,
          messageSeq,
          target,
          fence,
        );
        return changes > 0;
      }),
    makeDue(reason: number, now: EpochMs, limit: number): ReleasedRow[] {
      const rows = waiting.all(reason, limit);
      for (const [messageSeq, target] of rows) {
        makeDue.run(now, messageSeq, target);
      }
      return rows;
    },
    recordOutcomes: (columns: OutcomeColumns) =>
      outcomes.recordAll(columns).refused,
  };
}
