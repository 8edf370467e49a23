/** Writes of what stored messages have beyond messages and deliveries. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, IdempotencyKey } from "@carillon/core";
import type { IdempotencyKeyRow } from "../schema/idempotency-table.ts";
import {
  createdAtOf,
  type NewMessageRow,
  projectIdOf,
  templateSlugOf,
} from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import { prepareSentQueries, searchSent } from "../schema/sent-before.ts";
import type {
  AttachmentRow,
  RelatedObjectRow,
} from "../schema/stored-message-table.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createKeyWrites } from "./idempotency-writes.ts";
import {
  createMessageInsert,
  createObjectInsert,
  createRecipientInsert,
  type RecipientRow,
  type Wait,
} from "./message-writes.ts";

/**
 * Whom a stored message is for: one protocol, and a list of endpoints. A hundred
 * thousand texts cross threads at once several times faster than as many rows.
 */
export type RecipientColumns = readonly [
  protocol: string,
  billable: boolean,
  endpoints: readonly string[],
];

/** What a stored message has besides. */
export interface StoredParts {
  readonly objects: readonly RelatedObjectRow[];
  readonly attachments: readonly AttachmentRow[];
  /**
   * Nothing is kept if its template was sent about its objects, by a message from
   * this one on; `null`: that is not looked at.
   */
  readonly unlessSentFrom: number | null;
  readonly key: IdempotencyKey | null;
}

/**
 * Its number; or the key that was there; `null`: it was sent before. Or nothing
 * was kept yet: whether it was sent before is to be looked at by a reader, from
 * that message on.
 */
export type AcceptedStoredValues =
  | number
  | { readonly earlier: IdempotencyKeyRow }
  | { readonly searchFrom: number }
  | null;

/** Rounds of the search in one transaction: about ten milliseconds. */
const maxSearchRounds = 8;

export function createStoredMessageWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
) {
  const insertMessage = createMessageInsert(db);
  const addObjects = createObjectInsert(db);
  const addRecipients = createRecipientInsert(db, journal);
  const keys = createKeyWrites(db);
  const sentQueries = prepareSentQueries((sql) => prepareQuery(db, sql));
  /** Parameters: message, place, name, type, id, size, content. */
  const insertAttachment = db.prepare(
    `INSERT INTO attachments (message_seq, n, name, content_type, content_id,
       size, content)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  /**
   * Behind those that are there. Parameters: message, type, id, when. Indexes: the
   * primary keys.
   */
  const addObject = db.prepare(
    `INSERT INTO related_objects (message_seq, n, project_id, type, id,
       template_slug, template_channel, created_at, changed_at)
     SELECT m.seq,
       (SELECT coalesce(max(o.n), -1) + 1 FROM related_objects AS o
        WHERE o.message_seq = m.seq),
       m.project_id, ?2, ?3, m.template_slug,
       iif(m.template_slug IS NULL, NULL,
         (SELECT r.protocol FROM recipients AS r
          WHERE r.message_seq = m.seq ORDER BY r.target LIMIT 1)),
       ?4, ?4
     FROM messages AS m WHERE m.seq = ?1
     ON CONFLICT DO NOTHING`,
  );
  /** Parameters: message. Index: the primary key. */
  const objectsOf = prepareQuery<[n: number, type: string, id: string]>(
    db,
    "SELECT n, type, id FROM related_objects WHERE message_seq = ?",
  );
  /** Parameters: message, place. Index: the primary key. */
  const removeObject = db.prepare(
    "DELETE FROM related_objects WHERE message_seq = ? AND n = ?",
  );
  /** Parameters: when, message. Index: the primary key. */
  const noteChange = db.prepare(
    "UPDATE messages SET relations_changed_at = ? WHERE seq = ?",
  );

  return {
    acceptStored(
      message: NewMessageRow,
      [protocol, billable, endpoints]: RecipientColumns,
      wait: Wait,
      { objects, attachments, unlessSentFrom, key }: StoredParts,
    ): AcceptedStoredValues {
      const now = createdAtOf(message);
      const earlier = key && keys.find(key, now);
      if (earlier) return { earlier };
      // In the transaction that keeps it: of two at once the second one sees the
      // first, for no two writes run at once.
      if (unlessSentFrom !== null) {
        const sent = search(message, protocol, objects, unlessSentFrom);
        if (sent === true) return null;
        if (sent !== false) return { searchFrom: sent };
      }
      if (key) keys.put(key, now);
      const seq = insertMessage(message);
      addObjects(seq, message, objects, protocol);
      addRecipients(seq, message, rowsOf(protocol, billable, endpoints), wait);
      for (const [n, attachment] of attachments.entries()) {
        insertAttachment.run(seq, n, ...attachment);
      }
      return seq;
    },
    /**
     * `replaced`: the type of those that others than `added` are removed of.
     * `null`: done; else how many it would be about, more than `most`. Counted
     * here, where no other change comes between.
     */
    changeRelatedObjects(
      messageSeq: number,
      added: readonly RelatedObjectRow[],
      replaced: { readonly type: string | null } | null,
      most: number,
      at: EpochMs,
    ): number | null {
      const isMeant = (type: string) =>
        replaced !== null && (replaced.type === null || replaced.type === type);
      const wanted = new Set(added.map(keyOf));
      const removed = objectsOf.all(messageSeq).filter(([, type, id]) => {
        const key = keyOf([type, id]);
        if (isMeant(type) && !wanted.has(key)) return true;
        wanted.add(key);
        return false;
      });
      if (wanted.size > most) return wanted.size;
      let changes = removed.length;
      for (const [n] of removed) removeObject.run(messageSeq, n);
      for (const [type, id] of added) {
        changes += Number(addObject.run(messageSeq, type, id, at).changes);
      }
      if (changes > 0) noteChange.run(at, messageSeq);
      return null;
    },
  };

  /** Whether it was sent; or where to go on, in another transaction. */
  function search(
    message: NewMessageRow,
    protocol: string,
    objects: readonly RelatedObjectRow[],
    from: number,
  ): boolean | number {
    const rounds = searchSent(
      sentQueries,
      // The codecs of both give texts.
      [
        projectIdOf(message) as string,
        templateSlugOf(message) as string,
        protocol,
      ],
      objects.map(([type, id]) => ({ type, id })),
      from,
    );
    for (let n = 1; ; n++) {
      const { done, value } = rounds.next();
      if (done || n === maxSearchRounds) return value;
    }
  }
}

/** Types hold no blank. */
function keyOf([type, id]: RelatedObjectRow): string {
  return `${type} ${id}`;
}

function* rowsOf(
  protocol: string,
  billable: boolean,
  endpoints: readonly string[],
): Generator<RecipientRow> {
  for (const endpoint of endpoints) yield [protocol, endpoint, billable];
}
