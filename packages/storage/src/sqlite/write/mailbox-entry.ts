/**
 * Puts deliveries into mailboxes, and says where they stand there. How many are
 * in a mailbox is counted here as they come in; as they leave, and come back, by
 * triggers of the table.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, MailboxRoom, NewMailbox } from "@carillon/core";
import { reasonNotQueued } from "@carillon/core/rules";
import { errorClassCodes, queueStates, stateCodes } from "../schema/codes.ts";
import { newMailboxes, withDepths } from "../schema/mailbox-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { CountChanges } from "./message-counts.ts";
import type { OverdueEnds } from "./overdue-messages.ts";

const { failed } = stateCodes;
const { ready, leased, blocked, dead } = queueStates;

/** A delivery that is in a mailbox, or is to come into it. */
export interface QueuedDelivery {
  readonly messageSeq: number;
  readonly target: number;
  readonly mailbox: number;
  readonly orderingKey: string | null;
}

export function createMailboxEntry(db: DatabaseSync) {
  /** Parameters: mailbox. Index: the primary key. */
  const enter = db.prepare(
    `UPDATE mailbox_depths SET depth = depth + 1
     WHERE mailbox = ? AND depth < capacity`,
  );
  /** The same of many, each once. Parameters: mailboxes as JSON. */
  const enterEach = prepareQuery<[mailbox: number]>(
    db,
    `UPDATE mailbox_depths SET depth = depth + 1
     WHERE mailbox IN (SELECT value FROM json_each(?)) AND depth < capacity
     RETURNING mailbox`,
  );
  /** Parameters: mailbox. Index: the primary key. */
  const leave = db.prepare(
    "UPDATE mailbox_depths SET depth = depth - 1 WHERE mailbox = ?",
  );
  /** Parameters: mailbox. Index: the primary key. */
  const settings = prepareQuery<
    [quota: number, depth: number, disabled: number]
  >(db, `SELECT quota, depth, disabled FROM ${withDepths()} WHERE seq = ?`);
  /** It does not count as one that leaves it. Parameters: message, target. */
  const takeOut = db.prepare(
    `UPDATE deliveries SET mailbox = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: mailbox, where it stands, now, reason, message, target. */
  const refuse = db.prepare(
    `UPDATE deliveries SET state = ${failed}, mailbox = ?, queue_state = ?,
       last_at = ?, last_duration_ms = 0,
       last_error_class = ${errorClassCodes.mailbox}, last_error = ?
     WHERE message_seq = ? AND target = ?`,
  );
  /**
   * The first of a key that stands so, other than this one.
   * Parameters: mailbox, key, queue state, message, target. Index:
   * deliveries_ordered.
   */
  const firstOther = prepareQuery<Key>(
    db,
    `SELECT message_seq, target FROM deliveries INDEXED BY deliveries_ordered
     WHERE mailbox = ? AND ordering_key = ? AND queue_state = ?
       AND queue_state < ${dead} AND (message_seq, target) <> (?, ?)
     ORDER BY message_seq, target LIMIT 1`,
  );
  /** Parameters: queue state, message, target. Index: the primary key. */
  const move = db.prepare(
    "UPDATE deliveries SET queue_state = ? WHERE message_seq = ? AND target = ?",
  );
  /** Parameters: message, target. Index: the primary key. */
  const ordered = prepareQuery<[mailbox: number]>(
    db,
    `SELECT mailbox FROM deliveries
     WHERE message_seq = ? AND target = ? AND ordering_key IS NOT NULL
       AND queue_state < ${dead}`,
  );

  /** Parameters: message, target. Index: the primary key. */
  const refused = prepareQuery<[1]>(
    db,
    `SELECT 1 FROM deliveries WHERE message_seq = ? AND target = ?
       AND state = ${failed} AND attempts = 0
       AND last_error_class = ${errorClassCodes.mailbox}`,
  );
  /** Parameters: message, target. Index: the primary key. */
  const queued = prepareQuery<[mailbox: number, orderingKey: string | null]>(
    db,
    `SELECT mailbox, ordering_key FROM deliveries
     WHERE message_seq = ? AND target = ? AND mailbox IS NOT NULL`,
  );

  /**
   * Of one that was written so that it may be leased. Of an ordering key one is
   * ready or leased, mostly the first; what was put back before a leased one
   * waits for that one's end.
   */
  function place(
    { messageSeq, target, mailbox, orderingKey }: QueuedDelivery,
    { readyMailboxes }: CountChanges,
  ): void {
    if (orderingKey !== null) {
      const own = [messageSeq, target] as const;
      const other = (state: number) =>
        firstOther.get(mailbox, orderingKey, state, ...own);
      if (other(leased)) {
        move.run(blocked, ...own);
        return;
      }
      const free = other(ready);
      const first = free ?? other(blocked);
      if (first && isBefore(first, own)) {
        move.run(blocked, ...own);
        move.run(ready, ...first);
      } else if (free) move.run(blocked, ...free);
    }
    readyMailboxes.add(mailbox);
  }

  /**
   * Of one that was refused: what made room for it in vain may have stood before
   * others of its ordering key.
   */
  function letNext(
    { messageSeq, target, mailbox, orderingKey }: QueuedDelivery,
    { readyMailboxes }: CountChanges,
  ): void {
    if (orderingKey === null) return;
    const [free, held, next] = [ready, leased, blocked].map((state) =>
      firstOther.get(mailbox, orderingKey, state, messageSeq, target),
    );
    if (free || held || !next) return;
    move.run(ready, ...next);
    readyMailboxes.add(mailbox);
  }

  function findMailbox(seq: number): MailboxRoom | undefined {
    const [quota, depth, disabled] = settings.get(seq) ?? [];
    if (quota === undefined || depth === undefined) return undefined;
    return { quota, depth, ...(disabled === 1 && { disabled: true as const }) };
  }

  return {
    /**
     * Takes a place in each of the mailboxes that has one, for deliveries that are
     * admitted next; answers in which.
     */
    takePlaces: (mailboxes: readonly number[]): Set<number> =>
      new Set(
        enterEach.all(JSON.stringify(mailboxes)).map(([mailbox]) => mailbox),
      ),
    /** Those that nobody came for. */
    leavePlaces(mailboxes: ReadonlySet<number>): void {
      for (const mailbox of mailboxes) leave.run(mailbox);
    },
    /**
     * Takes a delivery in that was just written so that it may be leased; answers
     * why not, if so. It is `failed` then, and dead if there is the mailbox.
     *
     * @param places taken before, see {@link takePlaces}; the one that it uses goes
     */
    admit(
      delivery: QueuedDelivery,
      now: EpochMs,
      countChanges: CountChanges,
      overdue: OverdueEnds,
      places?: Set<number>,
    ): string | undefined {
      const { messageSeq, target, mailbox } = delivery;
      const enters = () =>
        places?.delete(mailbox) || enter.run(mailbox).changes > 0;
      const own = [messageSeq, target] as const;
      if (enters() || (overdue.makeRoom(mailbox, own) && enters())) {
        place(delivery, countChanges);
        return undefined;
      }
      const known = findMailbox(mailbox);
      const reason = reasonNotQueued(known) ?? "";
      takeOut.run(messageSeq, target);
      refuse.run(
        known ? mailbox : null,
        known ? dead : null,
        now,
        reason,
        messageSeq,
        target,
      );
      countChanges.addUnqueued(messageSeq, 1);
      if (known) letNext(delivery, countChanges);
      return reason;
    },
    place,
    /** A mailbox as it stands. */
    findMailbox,
    /**
     * Whether it failed because no mailbox took it. Until it is resent it was
     * handed out to nobody.
     */
    wasRefused: (messageSeq: number, target: number): boolean =>
      refused.get(messageSeq, target) !== undefined,
    /** A delivery in a mailbox; `undefined`: it is in none. */
    find: (messageSeq: number, target: number): QueuedDelivery | undefined => {
      const [mailbox, orderingKey] = queued.get(messageSeq, target) ?? [];
      return mailbox === undefined || orderingKey === undefined
        ? undefined
        : { messageSeq, target, mailbox, orderingKey };
    },
    /**
     * The mailbox in which others may wait for this one to leave; to be asked
     * before it does.
     */
    findOrdered: (messageSeq: number, target: number): number | undefined =>
      ordered.get(messageSeq, target)?.[0],
  };
}

/** Answers the number of a project's mailbox, which is made if there is none. */
export function createMailboxes(
  db: DatabaseSync,
): (mailbox: NewMailbox) => number {
  const insert = db.prepare(newMailboxes.insert);
  /** Parameters: project, name. Index: mailboxes_name. */
  const find = prepareQuery<[seq: number]>(
    db,
    "SELECT seq FROM mailboxes WHERE project_id = ? AND name = ?",
  );
  return (mailbox) => {
    const { projectId, name } = mailbox;
    const known = find.get(projectId, name);
    if (known) return known[0];
    return Number(insert.run(...newMailboxes.toRow(mailbox)).lastInsertRowid);
  };
}

type Key = readonly [messageSeq: number, target: number];

function isBefore([messageSeq, target]: Key, [other, otherTarget]: Key) {
  return messageSeq === other ? target < otherTarget : messageSeq < other;
}
