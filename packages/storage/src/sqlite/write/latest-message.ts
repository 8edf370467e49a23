/**
 * A topic's newest message, for who subscribes to it after its fan-out: it is put
 * into the mailbox as fan-out would have done.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, MessageLives } from "@carillon/core";
import { expiresAtOf } from "@carillon/core/rules";
import {
  audienceCodes,
  contentCodes,
  queueStates,
  stateCodes,
} from "../schema/codes.ts";
import { messageLife, toMessageLife } from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import { defineTable, type RowOf } from "../schema/table.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createMailboxEntry } from "./mailbox-entry.ts";
import { CountChanges } from "./message-counts.ts";
import { createOverdueEnds } from "./overdue-messages.ts";
import { SettledCounts } from "./statistics-writes.ts";

const { waiting, failed } = stateCodes;
const { text, structure, mail } = contentCodes;

const lives = defineTable("messages", messageLife);

type LatestRow = readonly [
  seq: number,
  orderingKey: string | null,
  ...RowOf<ReturnType<typeof lives.fromRow>>,
];

/**
 * How many messages of the project are looked at where the topic's last one was
 * cancelled or is not to go out yet.
 */
const maxScanned = 10_000;

export function createLatestMessages(db: DatabaseSync, journal: ChangeJournal) {
  /** Parameters: subscription. Index: the primary key. */
  const subscriber = prepareQuery<
    [topicSeq: number, mailbox: number | null, protocol: string]
  >(db, "SELECT topic_seq, mailbox, protocol FROM subscriptions WHERE seq = ?");
  const columns = `m.seq, m.details ->> 'orderingKey', ${lives.columns("m")}`;
  const mayGoOut = `m.cancelled_at IS NULL
    AND coalesce(m.not_before, m.created_at) <= ?2`;
  /** Parameters: topic, now. Indexes: primary keys. */
  const last = prepareQuery<LatestRow>(
    db,
    `SELECT ${columns} FROM topics AS t
     CROSS JOIN messages AS m ON m.seq = t.latest_message
     WHERE t.seq = ?1 AND ${mayGoOut}`,
  );
  /** Those before it. Parameters: topic, now. Index: messages_of_project. */
  const before = prepareQuery<LatestRow>(
    db,
    `SELECT ${columns} FROM
       (SELECT m.seq FROM topics AS t
        CROSS JOIN messages AS m INDEXED BY messages_of_project
          ON m.project_id = t.project_id AND m.seq < t.latest_message
        WHERE t.seq = ?1 ORDER BY m.seq DESC LIMIT ${maxScanned}) AS scanned
     CROSS JOIN messages AS m ON m.seq = scanned.seq
     WHERE (m.audience = ${audienceCodes.topic} AND m.topic_seq = ?1
         OR m.audience = ${audienceCodes.topics} AND EXISTS (
           SELECT 1 FROM message_topics AS o
           WHERE o.message_seq = m.seq AND o.topic_seq = ?1))
       AND m.content_kind IN (${text}, ${structure}, ${mail}) AND ${mayGoOut}
     ORDER BY m.seq DESC LIMIT 1`,
  );
  /**
   * Whether the mailbox has it through another of the message's topics.
   * Parameters: mailbox, message. Indexes: subscriptions_of_mailbox, the primary
   * key.
   */
  const anyOfMailbox = prepareQuery<[1]>(
    db,
    `SELECT 1 FROM subscriptions AS s INDEXED BY subscriptions_of_mailbox
     CROSS JOIN deliveries AS d ON d.message_seq = ?2 AND d.target = s.seq
     WHERE s.mailbox = ?1 LIMIT 1`,
  );
  /** Parameters: message, target, mailbox, key, end of its life. */
  const insert = db.prepare(
    `INSERT INTO deliveries (message_seq, target, state, attempts, mailbox,
       queue_state, ordering_key, expires_at)
     VALUES (?, ?, ${waiting}, 0, ?, ${queueStates.ready}, ?, ?)`,
  );
  const mailboxEntry = createMailboxEntry(db);
  const createOverdue = createOverdueEnds(db, journal);

  return (target: number, defaults: MessageLives, now: EpochMs): void => {
    const [topicSeq, mailbox, protocol] = subscriber.get(target) ?? [];
    if (topicSeq === undefined || !mailbox || !protocol) return;
    // It may have been accepted in this transaction.
    journal.writeSums();
    const row = last.get(topicSeq, now) ?? before.get(topicSeq, now);
    if (row === undefined) return;
    const [messageSeq, orderingKey] = row;
    const life = toMessageLife(lives.fromRow(row, 2));
    const expiresAt = expiresAtOf(life, protocol, defaults);
    if (expiresAt <= now || anyOfMailbox.get(mailbox, messageSeq)) return;
    insert.run(messageSeq, target, mailbox, orderingKey, expiresAt);
    const countChanges = new CountChanges();
    const settledCounts = new SettledCounts();
    const delivery = { messageSeq, target, mailbox, orderingKey };
    const refused = mailboxEntry.admit(
      delivery,
      now,
      countChanges,
      createOverdue(now, { countChanges, settledCounts }),
    );
    countChanges.add(messageSeq, target, refused ? failed : waiting);
    if (refused) settledCounts.add(messageSeq, target, failed, now);
    journal.addCounts(countChanges, now);
    journal.addSettled(settledCounts);
  };
}
