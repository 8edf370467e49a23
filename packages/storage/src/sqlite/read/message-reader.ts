/** What happened to messages, read from SQLite. */

import {
  type Attempt,
  type Delivery,
  type DeliveryPart,
  type DeliveryState,
  formatSubscriptionUrn,
  isCommonState,
  type MessageFilter,
  type MessageId,
  type MessageReader,
  type MessageReport,
  type ProjectId,
  type Receipt,
  type SubscriptionId,
  toEpochMs,
} from "@carillon/core";
import { computed, optional, text, textOf } from "../schema/codec.ts";
import { audienceCodes, stateCodes, stateOf } from "../schema/codes.ts";
import {
  attempts,
  deliveryShape,
  lastAttempts,
  parts,
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
  cancelledAt: number | null,
  userId: string | null,
  userName: string | null,
  reason: string | null,
  jobId: string | null,
  unqueued: number | null,
  // A count for each state, then the message.
  ...SQLOutputValue[],
];

type ScannedRow = readonly [seq: number, id: MessageId, newestAt: number];

const shown = defineTable("deliveries", {
  ...omit(
    deliveryShape,
    "fence",
    "owner",
    "leaseUntil",
    "billable",
    "urgency",
    "round",
    "attemptAt",
    "failsOver",
    "mailbox",
    "queueState",
    "orderingKey",
  ),
  protocol: computed("coalesce(r.protocol, s.protocol)", text),
  endpoint: computed("coalesce(r.endpoint, s.endpoint)", text),
  // Of a message to several topics, the one of the subscription.
  topicUrn: computed(
    `CASE m.audience WHEN ${audienceCodes.topics} THEN
      (SELECT t.urn FROM message_topics AS t
       WHERE t.message_seq = m.seq AND t.topic_seq = s.topic_seq)
     ELSE m.topic_urn END`,
    optional(text),
  ),
  subscriptionId: computed("s.id", optional(textOf<SubscriptionId>())),
});

/** What is {@link shown}, then the last attempt. */
type DeliveryRow = readonly SQLOutputValue[];

const reportSelect = (from: string) => `SELECT
    EXISTS (SELECT 1 FROM ranges WHERE ranges.message_seq = messages.seq),
    messages.cancelled_at, j.user_id, j.user_name, j.reason, j.id,
    message_counts.unqueued,
    ${countColumns.map((name) => `message_counts.${name}`).join(", ")},
    ${messages.columns()}
  FROM ${from}
  LEFT JOIN message_counts ON message_counts.message_seq = messages.seq
  LEFT JOIN jobs AS j ON j.seq = messages.cancelled_by`;

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
    `${reportSelect("messages INDEXED BY messages_id")}
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
      `${deliverySelect(isCommonState(state) ? "" : "INDEXED BY deliveries_exceptional")}
       WHERE d.message_seq = ? AND d.target > ? AND d.state = ${stateCodes[state]}
         ${isCommonState(state) ? "" : commonExcluded}
       ORDER BY d.target LIMIT ?`,
    );
  const byKey = reader.prepare<DeliveryRow>(
    `${deliverySelect()} WHERE d.message_seq = ? AND d.target = ?`,
  );
  const earlierAttempts = reader.prepare<RowOf<Attempt>>(
    `SELECT ${attempts.columns()} FROM attempts WHERE message_seq = ? AND target = ? ORDER BY n`,
  );

  /** Parameters: message, target. Index: the primary key. */
  const partsOf = reader.prepare<RowOf<DeliveryPart>>(
    `SELECT ${parts.columns()} FROM parts
     WHERE message_seq = ? AND target = ? ORDER BY attempt, part`,
  );

  const actionsOf = reader.prepare<ActionRow>(selectActions);

  /** Parameters: message, target. Index: receipts_of_delivery. */
  const receiptsOf = reader.prepare<RowOf<Receipt>>(
    `SELECT ${reports.columns()}
     FROM receipts INDEXED BY receipts_of_delivery
     WHERE message_seq = ? AND target = ? ORDER BY seq`,
  );

  function toDelivery(row: DeliveryRow): Delivery {
    const {
      attempts: attemptCount,
      topicUrn,
      subscriptionId,
      waitReason,
      ...delivery
    } = shown.fromRow(row);
    const { messageSeq, target, provider } = delivery;
    const earlier = earlierAttempts
      .all(messageSeq, target)
      .map((attempt) => attempts.fromRow(attempt));
    const last = toLastAttempt(row, shown.width);
    const known =
      provider === undefined
        ? []
        : partsOf.all(messageSeq, target).map((it) => parts.fromRow(it));
    // The first of the last attempt that has any.
    const lastOf = known.at(-1)?.attempt;
    const shownPart = known.find(({ attempt }) => attempt === lastOf);
    // Without an id there is nothing that a receipt could name.
    const receipts =
      shownPart === undefined
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
      ...(waitReason !== undefined &&
        delivery.nextAttemptAt !== undefined && { waitReason }),
      attemptCount,
      attempts: last ? [...earlier, last] : earlier,
      ...(shownPart && { externalId: shownPart.externalId, parts: known }),
      ...(receipts.length > 0 && { receipts }),
      ...(actions.length > 0 && { actions }),
    };
  }

  return {
    async findMessage(projectId, id) {
      const row = byId.get(id, projectId);
      return row && toReport(row);
    },
    async listMessages(projectId, filter, page) {
      const { topicSeq, state, since } = filter;
      const { limit, before, maxScanned } = page;
      const { from, where } = walkOf(projectId, filter);
      where.addIfSet("messages.seq < ?", before);
      const hasFilter =
        topicSeq !== undefined || state !== undefined || since !== undefined;
      /** The last one that is looked at, if there are more. */
      const scanned =
        hasFilter && maxScanned !== undefined
          ? reader
              .prepared<ScannedRow>(
                `SELECT messages.seq, messages.id, messages.newest_at
                 FROM ${from} ${where.sql}
                 ORDER BY messages.seq DESC LIMIT 1 OFFSET ?`,
              )
              .get(...where.values, maxScanned - 1)
          : undefined;
      where
        .addIfSet("messages.seq >= ?", scanned?.[0])
        .addIfSet(ofTopic, topicSeq, topicSeq ?? null)
        .addIfSet("messages.created_at >= ?", since);
      // Not by `> 0` alone: the planner would walk all counts first.
      if (state) where.add(`coalesce(message_counts.${state}, 0) > 0`);
      const found = reader
        .prepared<ReportRow>(
          `${reportSelect(from)} ${where.sql}
           ORDER BY messages.seq DESC LIMIT ?`,
        )
        .all(...where.values, limit + 1)
        .map(toReport);
      const reports = found.slice(0, limit);
      const next =
        found.length > limit
          ? reports.at(-1)?.message.id
          : scanned && scanned[2] >= (since ?? 0)
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

/**
 * The index that a list walks, newest first: that of the related object, else of
 * the tag, else of the project. Topics and states have none: another index would
 * cost each publish a fifth of what the store does for it.
 */
function walkOf(
  projectId: ProjectId,
  { tag, relatedObject }: MessageFilter,
): { from: string; where: Conditions } {
  const where = new Conditions();
  if (relatedObject !== undefined) {
    const { type, id } = relatedObject;
    return {
      from: `related_objects AS o INDEXED BY related_objects_of_project
        CROSS JOIN messages ON messages.seq = o.message_seq`,
      where: where
        .add("o.project_id = ?", projectId)
        .add("o.type = ?", type)
        .add("o.id = ?", id)
        .addIfSet("messages.tag = ?", tag),
    };
  }
  const index = tag === undefined ? "messages_of_project" : "messages_of_tag";
  return {
    from: `messages INDEXED BY ${index}`,
    where: where
      .add("messages.project_id = ?", projectId)
      .addIfSet("messages.tag = ?", tag),
  };
}

/** Published to a topic, alone or with others. Parameters: topic, topic. */
const ofTopic = `(messages.topic_seq = ?
  OR messages.audience = ${audienceCodes.topics} AND EXISTS (
    SELECT 1 FROM message_topics AS t
    WHERE t.message_seq = messages.seq AND t.topic_seq = ?))`;

/** The index's own condition: it is used only if the text is the same. */
const commonExcluded = "AND d.state NOT IN (4, 5)";

function toReport(row: ReportRow): MessageReport {
  const [hasRanges, at, userId, userName, reason, jobId, unqueued, ...columns] =
    row;
  const counts: Partial<Record<DeliveryState, number>> = {};
  for (const n of countColumns.keys()) {
    const count = columns[n];
    if (typeof count === "number" && count > 0) counts[stateOf(n)] = count;
  }
  return {
    message: toMessage(row, 7 + countColumns.length),
    ...(at !== null && {
      cancellation: {
        at: toEpochMs(at),
        userId: userId ?? "",
        userName: userName ?? "",
        ...(reason && { reason }),
        jobId: jobId ?? "",
      },
    }),
    fannedOut: hasRanges === 0,
    counts,
    ...(unqueued && { unqueued }),
  };
}
