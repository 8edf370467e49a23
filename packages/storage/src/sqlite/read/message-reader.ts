/** What happened to messages, read from SQLite. */

import {
  type Delivery,
  type DeliveryReceipt,
  type DeliveryState,
  formatSubscriptionUrn,
  type MessageReader,
  type MessageReport,
  type SubscriptionId,
  toEpochMs,
} from "@carillon/core";
import {
  type AttemptColumns,
  lastAttemptColumns,
  toAttempt,
} from "../schema/attempt-row.ts";
import {
  protocolOf,
  receiptEventOf,
  stateCodes,
  stateOf,
} from "../schema/codes.ts";
import {
  type MessageRow,
  messageColumns,
  toMessage,
} from "../schema/message-row.ts";
import { countColumns } from "../write/message-counts.ts";
import type { Reader } from "./reader.ts";

type ReportRow = readonly [
  hasChunks: number,
  // A count for each state, then the message.
  ...(number | string | null)[],
];

type DeliveryRow = readonly [
  messageSeq: number,
  target: number,
  state: number,
  attempts: number,
  nextAttemptAt: number | null,
  externalId: string | null,
  provider: string | null,
  segments: number | null,
  protocol: number,
  endpoint: string,
  topicUrn: string | null,
  subscriptionId: string | null,
  ...lastAttempt: AttemptColumns,
];

type ReceiptRow = readonly [
  event: number,
  at: number,
  code: string | null,
  text: string | null,
];

const reportSelect = `SELECT
    EXISTS (SELECT 1 FROM chunks WHERE chunks.message_seq = messages.seq),
    ${countColumns.map((name) => `message_counts.${name}`).join(", ")},
    ${messageColumns}
  FROM messages
  LEFT JOIN message_counts ON message_counts.message_seq = messages.seq`;

// A delivery to a subscription that was deleted since is shown like any other.
const deliverySelect = (index = "") => `SELECT d.message_seq, d.target,
    d.state, d.attempts, d.next_attempt_at, d.external_id, d.provider,
    d.segments, coalesce(r.protocol, s.protocol),
    coalesce(r.endpoint, s.endpoint), m.topic_urn, s.id,
    ${lastAttemptColumns("d")}
  FROM deliveries AS d ${index}
  CROSS JOIN messages AS m ON m.seq = d.message_seq
  LEFT JOIN recipients AS r
    ON r.message_seq = d.message_seq AND r.target = d.target
  LEFT JOIN subscriptions AS s
    ON r.target IS NULL AND s.seq = d.target`;

export function createMessageReader(reader: Reader): MessageReader {
  const byId = reader.prepare<ReportRow>(
    `${reportSelect} WHERE messages.id = ? AND messages.project_id = ?`,
  );
  const ofProject = reader.prepare<ReportRow>(
    `${reportSelect} WHERE messages.project_id = ? AND messages.seq < ?
     ORDER BY messages.seq DESC LIMIT ?`,
  );
  /** Parameters: message, after target, limit. Index: the primary key. */
  const deliveries = reader.prepare<DeliveryRow>(
    `${deliverySelect()} WHERE d.message_seq = ? AND d.target > ?
     ORDER BY d.target LIMIT ?`,
  );
  /** The same in one state. Index: deliveries_exceptional, if it has it. */
  const deliveriesInState = (state: DeliveryState) =>
    reader.prepared<DeliveryRow>(
      `${deliverySelect(isCommon(state) ? "" : "INDEXED BY deliveries_exceptional")}
       WHERE d.message_seq = ? AND d.target > ? AND d.state = ${stateCodes[state]}
         ${isCommon(state) ? "" : commonExcluded}
       ORDER BY d.target LIMIT ?`,
    );
  const byKey = reader.prepare<DeliveryRow>(
    `${deliverySelect()} WHERE d.message_seq = ? AND d.target = ?`,
  );
  const earlierAttempts = reader.prepare<AttemptColumns>(
    `SELECT at, duration_ms, status_code, error_class, error, provider
     FROM attempts WHERE message_seq = ? AND target = ? ORDER BY n`,
  );

  /** Parameters: message, target. Index: receipts_of_delivery. */
  const receiptsOf = reader.prepare<ReceiptRow>(
    `SELECT event, at, code, text
     FROM receipts INDEXED BY receipts_of_delivery
     WHERE message_seq = ? AND target = ? ORDER BY seq`,
  );

  function toDelivery(row: DeliveryRow): Delivery {
    const [
      messageSeq,
      target,
      state,
      attemptCount,
      nextAttemptAt,
      externalId,
      provider,
      segments,
      protocol,
      endpoint,
      topicUrn,
      subscriptionId,
      ...last
    ] = row;
    const lastAttempt = toAttempt(last);
    const attempts = earlierAttempts
      .all(messageSeq, target)
      .map(toAttempt)
      .concat(lastAttempt)
      .filter((attempt) => attempt !== undefined);
    // Without an id there is nothing that a receipt could be told by.
    const receipts =
      externalId === null
        ? []
        : receiptsOf.all(messageSeq, target).map(toReceipt);
    return {
      messageSeq,
      target,
      protocol: protocolOf(protocol),
      endpoint,
      ...(subscriptionId !== null &&
        topicUrn !== null && {
          subscriptionUrn: formatSubscriptionUrn(
            topicUrn,
            subscriptionId as SubscriptionId,
          ),
        }),
      state: stateOf(state),
      attemptCount,
      attempts,
      ...(nextAttemptAt !== null && {
        nextAttemptAt: toEpochMs(nextAttemptAt),
      }),
      ...(externalId !== null && { externalId }),
      ...(provider !== null && { provider }),
      ...(segments !== null && { segments }),
      ...(receipts.length > 0 && { receipts }),
    };
  }

  return {
    async findMessage(projectId, id) {
      const row = byId.get(id, projectId);
      return row && toReport(row);
    },
    async listMessages(projectId, { limit, before }) {
      return ofProject
        .all(projectId, before ?? Number.MAX_SAFE_INTEGER, limit)
        .map(toReport);
    },
    async listDeliveries(messageSeq, { limit, after = -1, state }) {
      const query = state ? deliveriesInState(state) : deliveries;
      return query.all(messageSeq, after, limit).map(toDelivery);
    },
    async findDelivery(messageSeq, target) {
      const row = byKey.get(messageSeq, target);
      return row && toDelivery(row);
    },
  };
}

function toReceipt([event, at, code, text]: ReceiptRow): DeliveryReceipt {
  return {
    event: receiptEventOf(event),
    at: toEpochMs(at),
    ...(code !== null && { code }),
    ...(text !== null && { text }),
  };
}

/** States that most deliveries end in; a walk soon meets one. */
function isCommon(state: DeliveryState): boolean {
  return state === "sent" || state === "delivered";
}

/** The index's own condition: said word for word, or it is not used. */
const commonExcluded = "AND d.state NOT IN (4, 5)";

function toReport([hasChunks, ...columns]: ReportRow): MessageReport {
  const counts: Partial<Record<DeliveryState, number>> = {};
  for (const [code, count] of columns.slice(0, countColumns.length).entries()) {
    if (typeof count === "number" && count > 0) counts[stateOf(code)] = count;
  }
  // What is left are the columns of a message.
  const message = columns.slice(countColumns.length) as unknown as MessageRow;
  return { message: toMessage(message), fannedOut: hasChunks === 0, counts };
}
