/** What happened to messages, read from SQLite. */

import {
  type Attempt,
  type Delivery,
  type DeliveryReceipt,
  type DeliveryState,
  formatSubscriptionUrn,
  type MessageId,
  type MessageReader,
  type MessageReport,
  type SubscriptionId,
} from "@carillon/core";
import { code, computed, optional, text, textOf } from "../schema/codec.ts";
import { protocolCodes, stateCodes, stateOf } from "../schema/codes.ts";
import {
  attempts,
  deliveryShape,
  lastAttempts,
  reports,
  toLastAttempt,
} from "../schema/delivery-table.ts";
import {
  type ActionRow,
  actionRecords,
  selectActions,
} from "../schema/job-table.ts";
import { messages, toMessage } from "../schema/message-table.ts";
import type { SQLOutputValue } from "../schema/query.ts";
import { defineTable, omit, type RowOf } from "../schema/table.ts";
import { countColumns } from "../write/message-counts.ts";
import { Conditions } from "./conditions.ts";
import type { Reader } from "./reader.ts";

type ReportRow = readonly [
  hasRanges: number,
  // A count for each state, then the message.
  ...SQLOutputValue[],
];

type ScannedRow = readonly [seq: number, id: MessageId, createdAt: number];

const shown = defineTable("deliveries", {
  ...omit(deliveryShape, "fence", "owner", "leaseUntil", "billable", "round"),
  protocol: computed("coalesce(r.protocol, s.protocol)", code(protocolCodes)),
  endpoint: computed("coalesce(r.endpoint, s.endpoint)", text),
  topicUrn: computed("m.topic_urn", optional(text)),
  subscriptionId: computed("s.id", optional(textOf<SubscriptionId>())),
});

/** What is {@link shown}, then the last attempt. */
type DeliveryRow = readonly SQLOutputValue[];

const reportSelect = (index: string) => `SELECT
    EXISTS (SELECT 1 FROM ranges WHERE ranges.message_seq = messages.seq),
    ${countColumns.map((name) => `message_counts.${name}`).join(", ")},
    ${messages.columns()}
  FROM messages INDEXED BY ${index}
  LEFT JOIN message_counts ON message_counts.message_seq = messages.seq`;

// A delivery to a subscription that was deleted since is shown like any other.
const deliverySelect = (index = "") => `SELECT ${shown.columns("d")},
    ${lastAttempts.columns("d")}
  FROM deliveries AS d ${index}
  CROSS JOIN messages AS m ON m.seq = d.message_seq
  LEFT JOIN recipients AS r
    ON r.message_seq = d.message_seq AND r.target = d.target
  LEFT JOIN subscriptions AS s
    ON r.target IS NULL AND s.seq = d.target`;

export function createMessageReader(reader: Reader): MessageReader {
  const byId = reader.prepare<ReportRow>(
    `${reportSelect("messages_id")}
     WHERE messages.id = ? AND messages.project_id = ?`,
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
  const earlierAttempts = reader.prepare<RowOf<Attempt>>(
    `SELECT ${attempts.columns()} FROM attempts WHERE message_seq = ? AND target = ? ORDER BY n`,
  );

  const actionsOf = reader.prepare<ActionRow>(selectActions);

  /** Parameters: message, target. Index: receipts_of_delivery. */
  const receiptsOf = reader.prepare<RowOf<DeliveryReceipt>>(
    `SELECT ${reports.columns()}
     FROM receipts INDEXED BY receipts_of_delivery
     WHERE message_seq = ? AND target = ? ORDER BY seq`,
  );

  function toDelivery(row: DeliveryRow): Delivery {
    const {
      attempts: attemptCount,
      topicUrn,
      subscriptionId,
      ...delivery
    } = shown.fromRow(row);
    const { messageSeq, target, externalId } = delivery;
    const earlier = earlierAttempts
      .all(messageSeq, target)
      .map((attempt) => attempts.fromRow(attempt));
    const last = toLastAttempt(row, shown.width);
    // Without an id there is nothing that a receipt could name.
    const receipts =
      externalId === undefined
        ? []
        : receiptsOf.all(messageSeq, target).map((it) => reports.fromRow(it));
    const actions = actionsOf
      .all(messageSeq, target)
      .map((it) => actionRecords.fromRow(it))
      .reverse();
    return {
      ...delivery,
      ...(subscriptionId !== undefined &&
        topicUrn !== undefined && {
          subscriptionUrn: formatSubscriptionUrn(topicUrn, subscriptionId),
        }),
      attemptCount,
      attempts: last ? [...earlier, last] : earlier,
      ...(receipts.length > 0 && { receipts }),
      ...(actions.length > 0 && { actions }),
    };
  }

  return {
    async findMessage(projectId, id) {
      const row = byId.get(id, projectId);
      return row && toReport(row);
    },
    async listMessages(projectId, { topicSeq, state, since }, page) {
      const { limit, before, maxScanned } = page;
      // One index for all filters: another would cost each publish a fifth of
      // what the store does for it.
      const where = new Conditions()
        .add("messages.project_id = ?", projectId)
        .addIfSet("messages.seq < ?", before);
      const hasFilter =
        topicSeq !== undefined || state !== undefined || since !== undefined;
      /** The last one that is looked at, if there are more. */
      const scanned =
        hasFilter && maxScanned !== undefined
          ? reader
              .prepared<ScannedRow>(
                `SELECT seq, id, created_at
                 FROM messages INDEXED BY messages_of_project
                 ${where.sql} ORDER BY seq DESC LIMIT 1 OFFSET ?`,
              )
              .get(...where.values, maxScanned - 1)
          : undefined;
      where
        .addIfSet("messages.seq >= ?", scanned?.[0])
        .addIfSet("messages.topic_seq = ?", topicSeq)
        .addIfSet("messages.created_at >= ?", since);
      // Not by `> 0` alone: the planner would walk all counts first.
      if (state) where.add(`coalesce(message_counts.${state}, 0) > 0`);
      const found = reader
        .prepared<ReportRow>(
          `${reportSelect("messages_of_project")} ${where.sql}
           ORDER BY messages.seq DESC LIMIT ?`,
        )
        .all(...where.values, limit + 1)
        .map(toReport);
      const reports = found.slice(0, limit);
      const next =
        found.length > limit
          ? reports.at(-1)?.message.id
          : // Behind one that is older there are older ones.
            scanned && !(since !== undefined && scanned[2] < since)
            ? scanned[1]
            : undefined;
      return { messages: reports, ...(next !== undefined && { next }) };
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

/** States that most deliveries end in; a walk soon meets one. */
function isCommon(state: DeliveryState): boolean {
  return state === "sent" || state === "delivered";
}

/** The index's own condition: it is used only if the text is the same. */
const commonExcluded = "AND d.state NOT IN (4, 5)";

function toReport(row: ReportRow): MessageReport {
  const [hasRanges, ...columns] = row;
  const counts: Partial<Record<DeliveryState, number>> = {};
  for (const n of countColumns.keys()) {
    const count = columns[n];
    if (typeof count === "number" && count > 0) counts[stateOf(n)] = count;
  }
  return {
    message: toMessage(row, 1 + countColumns.length),
    fannedOut: hasRanges === 0,
    counts,
  };
}
