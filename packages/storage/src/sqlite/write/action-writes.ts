/** Writes what operators do to deliveries. */

import type { DatabaseSync } from "node:sqlite";
import type { ActionResult, Delivery } from "@carillon/core";
import {
  type ActionDecision,
  type ActionFacts,
  type ActionOrder,
  type Actor,
  decideAction,
  isSettled,
} from "@carillon/core/rules";
import {
  actionCodes,
  queueStates,
  stateCodes,
  stateOf,
} from "../schema/codes.ts";
import {
  toActionFacts,
  type WalkRow,
  walkSelect,
} from "../schema/delivery-walk.ts";
import {
  type ActionRow,
  actionRecords,
  selectActions,
} from "../schema/job-table.ts";
import { orNull, prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createMailboxEntry } from "./mailbox-entry.ts";
import { CountChanges } from "./message-counts.ts";
import { createOverdueEnds, type OverdueEnds } from "./overdue-messages.ts";
import { SettledCounts } from "./statistics-writes.ts";

/** Who acts, and why: a job, which says so itself, or a user. */
export type ActionSource =
  | { readonly jobSeq: number }
  | (Actor & { readonly reason?: string; readonly jobSeq?: undefined });

/** What actions of one operation changed. */
export class ActionTotals {
  readonly countChanges = new CountChanges();
  readonly settledCounts = new SettledCounts();
  /** Once a mailbox was full. */
  overdue?: OverdueEnds;
}

/** Acts on rows that were read in the same transaction. */
export function createActions(db: DatabaseSync, journal: ChangeJournal) {
  /**
   * A fence more: who lost its claim cannot report on it. What the last attempt
   * left to be done is not done any more.
   */
  const change = db.prepare(
    `UPDATE deliveries SET state = ?1, next_attempt_at = ?2,
       expires_at = coalesce(?3, expires_at),
       resent_after = CASE WHEN ?2 IS NULL THEN resent_after ELSE attempts END,
       attempts = CASE WHEN ?4 THEN 0 ELSE attempts END,
       mailbox = CASE WHEN ?4 THEN
         (SELECT s.mailbox FROM subscriptions AS s WHERE s.seq = target) END,
       queue_state = CASE WHEN ?4 THEN ${queueStates.ready} END,
       ordering_key = CASE WHEN ?4 THEN
         (SELECT m.details ->> 'orderingKey' FROM messages AS m
          WHERE m.seq = message_seq) END,
       receipt_expected = 0, poll_at = NULL, fails_over = 0,
       wait_reason = NULL,
       attempt_at = NULL, attempt_external_id = NULL, fence = fence + 1,
       owner = NULL, lease_until = NULL
     WHERE message_seq = ?5 AND target = ?6`,
  );
  const note = db.prepare(
    `INSERT INTO delivery_actions (message_seq, target, n, at, action,
       from_state, to_state, job_seq, user_id, user_name, reason)
     VALUES (?1, ?2,
       (SELECT coalesce(max(n), 0) + 1 FROM delivery_actions
        WHERE message_seq = ?1 AND target = ?2),
       ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
  );
  /** Parameters: instant, message. Index: the primary key. */
  const tellUntil = db.prepare(
    `UPDATE messages SET status_until = ?1
     WHERE seq = ?2 AND status_url IS NOT NULL
       AND coalesce(status_until, expires_at) < ?1`,
  );
  /** Parameters: subscription. Index: the primary key. */
  const mailboxOf = prepareQuery<[mailbox: number | null]>(
    db,
    "SELECT mailbox FROM subscriptions WHERE seq = ?",
  );
  const mailboxEntry = createMailboxEntry(db);
  const createOverdue = createOverdueEnds(db, journal);

  /** Of what is fetched; if its mailbox is full, what is overdue there is ended. */
  function decideFetched(
    [, target]: WalkRow,
    facts: ActionFacts,
    order: ActionOrder,
    totals: ActionTotals,
  ): ActionDecision {
    const [seq] = mailboxOf.get(target) ?? [];
    if (!seq) return decideAction(facts, order);
    const decide = () => {
      const mailbox = mailboxEntry.findMailbox(seq);
      return decideAction({ ...facts, ...(mailbox && { mailbox }) }, order);
    };
    const decision = decide();
    if (decision.refused !== "not_queued") return decision;
    totals.overdue ??= createOverdue(order.now, totals);
    return totals.overdue.makeRoom(seq) ? decide() : decision;
  }

  return (
    row: WalkRow,
    facts: ActionFacts,
    order: ActionOrder,
    source: ActionSource,
    totals: ActionTotals,
  ): ActionDecision => {
    const { countChanges, settledCounts } = totals;
    const decision = order.pullProtocols.includes(facts.protocol)
      ? decideFetched(row, facts, order, totals)
      : decideAction(facts, order);
    if (decision.refused !== undefined) return decision;
    const [messageSeq, target, state] = row;
    const { nextAttemptAt, expiresAt, isFetched } = decision;
    const to = stateCodes[decision.to];
    const unblocked = mailboxEntry.findOrdered(messageSeq, target);
    if (unblocked !== undefined) countChanges.readyMailboxes.add(unblocked);
    if (isFetched && mailboxEntry.wasRefused(messageSeq, target)) {
      countChanges.addUnqueued(messageSeq, -1);
    }
    change.run(
      to,
      orNull(nextAttemptAt),
      orNull(expiresAt),
      isFetched ? 1 : 0,
      messageSeq,
      target,
    );
    if (isFetched) {
      const delivery = mailboxEntry.find(messageSeq, target);
      if (!delivery) throw new Error(`Subscription ${target} has no mailbox.`);
      mailboxEntry.place(delivery, countChanges);
    }
    tellUntil.run(Math.max(order.now, expiresAt ?? 0), messageSeq);
    const user = source.jobSeq === undefined ? source : undefined;
    note.run(
      messageSeq,
      target,
      order.now,
      actionCodes[order.action],
      state,
      to,
      orNull(source.jobSeq),
      orNull(user?.userId),
      orNull(user?.userName),
      orNull(user?.reason),
    );
    countChanges.move(messageSeq, target, state, to);
    if (!isSettled(facts.state) && isSettled(decision.to)) {
      settledCounts.add(messageSeq, target, to, order.now);
    }
    return decision;
  };
}

export function createActionWrites(db: DatabaseSync, journal: ChangeJournal) {
  /** Parameters: message, target. Index: the primary key. */
  const find = prepareQuery<WalkRow>(
    db,
    `${walkSelect("")} WHERE d.message_seq = ? AND d.target = ?`,
  );
  const history = prepareQuery<ActionRow>(db, selectActions);
  const act = createActions(db, journal);

  return {
    actOnDelivery(
      { messageSeq, target }: Pick<Delivery, "messageSeq" | "target">,
      order: ActionOrder,
      by: Actor & { readonly reason?: string },
    ): ActionResult | undefined {
      const row = find.get(messageSeq, target);
      if (row === undefined) return undefined;
      const totals = new ActionTotals();
      const decision = act(row, toActionFacts(row), order, by, totals);
      // Of one that is refused as well: what was overdue may have been ended.
      journal.addCounts(totals.countChanges, order.now);
      journal.addSettled(totals.settledCounts);
      if (decision.refused !== undefined) {
        const last = history.get(messageSeq, target);
        return {
          ...decision,
          state: stateOf(row[2]),
          ...(last && { lastAction: actionRecords.fromRow(last) }),
        };
      }
      return { state: decision.to };
    },
  };
}
