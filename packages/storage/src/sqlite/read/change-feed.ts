/** The change feed in SQLite: reads, and the way to the writer. */

import {
  type ChangeFeed,
  type Clock,
  type DeliveryHead,
  deliveryStates,
  type EventMessage,
  eventTopicName,
  type Lease,
  type MessageHead,
  type MessageId,
  type ProjectId,
  receiptEventOfState,
  type SubscriptionId,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { type ChangeRow, toChangeBatch } from "../schema/change-table.ts";
import {
  code,
  computed,
  integer,
  json,
  optional,
  text,
  textOf,
} from "../schema/codec.ts";
import {
  audienceCodes,
  contentCodes,
  receiptEventCodes,
  stateCodes,
} from "../schema/codes.ts";
import { toMessageRow } from "../schema/message-table.ts";
import { defineTable, type RowOf, type ValueOf } from "../schema/table.ts";
import type { EventMessageValues } from "../write/change-writes.ts";

const messageShape = {
  seq: integer,
  id: textOf<MessageId>(),
  projectId: textOf<ProjectId>(),
  contentKind: code(contentCodes),
  topicUrn: optional(text),
  topicName: optional(text),
  topics: computed(
    `CASE m.audience WHEN ${audienceCodes.topics} THEN
      (SELECT json_group_array(json_object('seq', t.topic_seq, 'urn', t.urn,
         'name', t.name) ORDER BY t.position)
       FROM message_topics AS t WHERE t.message_seq = m.seq) END`,
    optional(json<NonNullable<MessageHead["topics"]>>()),
  ),
  statusUrl: optional(text),
};
const messageHeads = defineTable("messages", messageShape);

const deliveryShape = {
  target: computed("t.value", integer),
  protocol: computed("coalesce(r.protocol, s.protocol)", text),
  endpoint: computed("coalesce(r.endpoint, s.endpoint)", text),
  subscriptionId: computed("s.id", optional(textOf<SubscriptionId>())),
  topicSeq: computed(
    `CASE m.audience WHEN ${audienceCodes.topics} THEN s.topic_seq END`,
    optional(integer),
  ),
  attempts: integer,
  statusCode: computed("d.last_status_code", optional(integer)),
  error: computed("d.last_error", optional(text)),
  provider: optional(text),
  externalId: computed(
    ofProvider(
      `SELECT p.external_id FROM parts AS p
       WHERE p.message_seq = d.message_seq AND p.target = d.target
       ORDER BY p.attempt DESC, p.part LIMIT 1`,
    ),
    optional(text),
  ),
  segments: optional(integer),
  receipt: computed(
    ofProvider(
      `SELECT json_patch('{}', json_object('at', e.at, 'code', e.code,
         'text', e.text, 'event', ${receiptEventName("e.event")}))
       FROM receipts AS e INDEXED BY receipts_of_delivery
       WHERE e.message_seq = d.message_seq AND e.target = d.target
         AND e.event = ${receiptEventFor("d.state")}
       ORDER BY e.seq DESC LIMIT 1`,
    ),
    optional(json<NonNullable<DeliveryHead["receipt"]>>()),
  ),
};
const deliveryHeads = defineTable("deliveries", deliveryShape);

/** What only deliveries have that a provider was called for. */
function ofProvider(query: string): string {
  return `CASE WHEN d.provider IS NOT NULL THEN (${query}) END`;
}

function receiptEventName(column: string): string {
  const cases = Object.entries(receiptEventCodes).map(
    ([name, code]) => `WHEN ${code} THEN '${name}'`,
  );
  return `CASE ${column} ${cases.join(" ")} END`;
}

/** NULL, which no event is, where no receipt brings a delivery to the state. */
function receiptEventFor(column: string): string {
  const cases = deliveryStates.flatMap((state) => {
    const event = receiptEventOfState[state];
    return event === undefined
      ? []
      : [`WHEN ${stateCodes[state]} THEN ${receiptEventCodes[event]}`];
  });
  return `CASE ${column} ${cases.join(" ")} END`;
}

/** `clock`: its monotonic time is the time of leases. */
export function createChangeFeed(
  { reader, writer }: Connections,
  clock: Clock,
): ChangeFeed {
  /** Parameters: after, limit. Index: the primary key. */
  const next = reader.prepare<ChangeRow>(
    "SELECT seq, at, data FROM changes WHERE seq > ? ORDER BY seq LIMIT ?",
  );
  const bounds = reader.prepare<[oldest: number | null, newest: number | null]>(
    "SELECT (SELECT min(seq) FROM changes), (SELECT max(seq) FROM changes)",
  );
  /** Parameters: numbers of messages, as JSON. Index: the primary key. */
  const heads = reader.prepare<RowOf<ValueOf<typeof messageShape>>>(
    `SELECT ${messageHeads.columns("m")} FROM json_each(?) AS t
     CROSS JOIN messages AS m ON m.seq = t.value`,
  );
  /**
   * Parameters: targets as JSON, message. Indexes: the primary keys, and
   * receipts_of_delivery.
   */
  const deliveries = reader.prepare<RowOf<ValueOf<typeof deliveryShape>>>(
    `SELECT ${deliveryHeads.columns("d")} FROM json_each(?) AS t
     CROSS JOIN deliveries AS d ON d.message_seq = ? AND d.target = t.value
     CROSS JOIN messages AS m ON m.seq = d.message_seq
     LEFT JOIN recipients AS r ON m.audience = ${audienceCodes.direct}
       AND r.message_seq = d.message_seq AND r.target = d.target
     LEFT JOIN subscriptions AS s ON m.audience <> ${audienceCodes.direct}
       AND s.seq = d.target
     ORDER BY d.target`,
  );
  /** Parameter: since. Indexes: messages_status_url, topics_of_events. */
  const consumer = reader.prepare<[number]>(
    `SELECT EXISTS (SELECT 1 FROM messages INDEXED BY messages_status_url
         WHERE status_url IS NOT NULL
           AND coalesce(status_until, expires_at) > ?)
       OR EXISTS (SELECT 1 FROM topics INDEXED BY topics_of_events
         WHERE name = '${eventTopicName}' AND deleted_at IS NULL
           AND subscription_count > 0)`,
  );

  function endOf({ leaseMs }: Lease): number {
    return Math.ceil(clock.monotonic() + leaseMs);
  }

  return {
    async readChanges(after, limit) {
      const from = isPosition(after) ? Number(after) : undefined;
      if (from === undefined) {
        const [, newest] = bounds.get() ?? [];
        return { kind: "gone", next: String(newest ?? 0) };
      }
      const rows = next.all(from, limit);
      const [first] = rows[0] ?? [];
      // The usual case: it goes on with the next number.
      if (first === from + 1) {
        return { kind: "batches", batches: rows.map(toChangeBatch) };
      }
      const [oldest, newest] = bounds.get() ?? [];
      if (from > (newest ?? 0)) {
        return { kind: "gone", next: String(newest ?? 0) };
      }
      if (oldest != null && from < oldest - 1) {
        return { kind: "gone", next: String(oldest - 1) };
      }
      return { kind: "batches", batches: rows.map(toChangeBatch) };
    },
    async readLatestPosition() {
      return String(bounds.get()?.[1] ?? 0);
    },
    watchFeed: (listener) => writer.onFeedGrown(listener),
    async findMessageHeads(seqs) {
      return heads
        .all(JSON.stringify(seqs))
        .map((row) => toMessageHead(messageHeads.fromRow(row)));
    },
    async listDeliveryHeads(messageSeq, targets) {
      return deliveries
        .all(JSON.stringify(targets), messageSeq)
        .map((row): DeliveryHead => deliveryHeads.fromRow(row));
    },
    async findEventConsumer(since) {
      return consumer.get(since)?.[0] === 1;
    },
    async claimConsumer(name, lease) {
      const now = Math.floor(clock.monotonic());
      const position = await writer.run(
        "claimConsumer",
        name,
        lease.owner,
        endOf(lease),
        now,
      );
      return position === undefined ? undefined : String(position);
    },
    advanceConsumer: ({ name, owner }, from, to, messages) =>
      writer.run(
        "advanceConsumer",
        name,
        owner,
        Number(from),
        Number(to),
        messages.map(toValues),
      ),
    forgetChanges: ({ before, maxBatches }, limit) =>
      writer.run("forgetChanges", before, maxBatches, limit),
  };
}

/** As it is given: numbers, without zeros in front. */
function isPosition(text: string): boolean {
  return /^(?:0|[1-9]\d{0,14})$/.test(text);
}

function toMessageHead({
  contentKind,
  topicUrn,
  topicName,
  ...head
}: ValueOf<typeof messageShape>): MessageHead {
  return {
    ...head,
    isEvent: contentKind === "event" || topicName === eventTopicName,
    ...(topicUrn !== undefined &&
      topicName !== undefined && { topic: { urn: topicUrn, name: topicName } }),
  };
}

function toValues(event: EventMessage): EventMessageValues {
  const row = toMessageRow(event.message);
  if (!("recipient" in event)) return [row, null];
  const { protocol, endpoint } = event.recipient;
  return [row, [protocol, endpoint, false]];
}
