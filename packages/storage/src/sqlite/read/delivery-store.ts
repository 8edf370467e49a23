/** The engine's side of the store in SQLite. */

import type { EpochMs } from "@carillon/core";
import {
  type AudienceRange,
  type Clock,
  type DeliveryStore,
  type Logger,
  type Message,
  type Recipient,
  type RefusedOutcome,
  type Store,
  toEpochMs,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { protocolCodes, stateCodes } from "../schema/codes.ts";
import type { Outcome } from "../schema/delivery-table.ts";
import { toClaimedDelivery } from "../schema/due-row.ts";
import { FilterPolicies } from "../schema/filter-policies.ts";
import {
  type MessageRow,
  messages,
  toMessage,
  toMessageRow,
} from "../schema/message-table.ts";
import { defineAudience } from "../schema/subscription-table.ts";
import type { RowOf } from "../schema/table.ts";
import {
  type OutcomeColumns,
  toOutcomeColumns,
} from "../write/outcome-columns.ts";
import type { RangeRow } from "../write/range-writes.ts";
import { createEndOfLease } from "./lease-end.ts";
import { ReadCache } from "./read-cache.ts";
import { replaceUncopyable } from "./uncopyable-outcomes.ts";

/** Recipients of an audience that is cached; each takes about 500 bytes. */
const maxSmallAudience = 16;

/** `clock`: its monotonic time is the time of leases. */
export function createDeliveryStore(
  { reader, writer }: Connections,
  clock: Clock,
  logger: Logger,
): DeliveryStore & Pick<Store, "reclaimAll"> {
  const endOf = createEndOfLease(clock);
  /** Parameters: number. Index: the primary key. */
  const messageBySeq = reader.prepare<MessageRow>(
    `SELECT ${messages.columns()} FROM messages WHERE seq = ?`,
  );
  /**
   * The next recipients of a topic's message.
   * Parameters: topic, after, up to, limit. Index: subscriptions_active, in
   * which the row number is the hidden last column.
   */
  const audience = defineAudience(new FilterPolicies());
  const nextOfAudience = reader.prepare<RowOf<Recipient>>(
    `SELECT ${audience.columns()}
     FROM subscriptions INDEXED BY subscriptions_active
     WHERE topic_seq = ? AND status IN (1, 2, 5) AND seq > ? AND seq <= ?
     ORDER BY seq LIMIT ?`,
  );
  /**
   * By topic, whole audiences that are small: where a topic has a few
   * subscribers only, reading them would cost as much as half of the delivery.
   */
  const smallAudiences = new ReadCache<number, readonly Recipient[]>(writer, {
    changedBy: [
      "addSubscription",
      "confirmSubscription",
      "cancelSubscription",
      "updateSubscription",
      "deleteSubscription",
      "deleteTopic",
    ],
  });
  /** Index: deliveries_due, whose first row it is. */
  const nextDue = reader.prepare<[nextAttemptAt: EpochMs]>(
    `SELECT next_attempt_at FROM deliveries INDEXED BY deliveries_due
     WHERE next_attempt_at IS NOT NULL ORDER BY next_attempt_at LIMIT 1`,
  );
  const freeRange = reader.prepare<[1]>(
    "SELECT 1 FROM ranges WHERE owner IS NULL LIMIT 1",
  );

  /** Parameters: limit. Index: deliveries_due, from its first row. */
  const backlog = reader.prepare<[waiting: number, all: number]>(
    `SELECT count(*) FILTER (WHERE state = ${stateCodes.waiting}), count(*)
     FROM (SELECT state FROM deliveries INDEXED BY deliveries_due
           WHERE next_attempt_at IS NOT NULL
           ORDER BY next_attempt_at LIMIT ?)`,
  );
  /** Parameters: limit. */
  const freeRanges = reader.prepare<[number]>(
    "SELECT count(*) FROM (SELECT 1 FROM ranges WHERE owner IS NULL LIMIT ?)",
  );

  /** Has outcomes written; those that cannot even be copied are replaced. */
  async function write<Result>(
    outcomes: readonly Outcome[],
    run: (columns: OutcomeColumns) => Promise<Result>,
  ): Promise<{ result: Result; refused: readonly RefusedOutcome[] }> {
    const now = clock.now();
    try {
      const columns = toOutcomeColumns(outcomes, now, endOf);
      return { result: await run(columns), refused: [] };
    } catch (error) {
      const { kept, refused } = replaceUncopyable(outcomes, now, endOf);
      if (refused.length === 0) throw error;
      const columns = toOutcomeColumns(kept, now, endOf);
      return { result: await run(columns), refused };
    }
  }

  /**
   * Of rows that were claimed, those that can be read. The others, of a damaged
   * database, stay claimed until the process ends, and hold up no other.
   */
  function readable<
    ClaimedRow extends readonly [messageSeq: number, ...unknown[]],
    Value,
  >(rows: readonly ClaimedRow[], read: (row: ClaimedRow) => Value): Value[] {
    const values: Value[] = [];
    for (const row of rows) {
      try {
        values.push(read(row));
      } catch (error) {
        logger.error("claim_unreadable", { messageSeq: row[0], error });
      }
    }
    return values;
  }

  async function findMessageBySeq(seq: number) {
    const row = messageBySeq.get(seq);
    return row && toMessage(row);
  }

  return {
    async acceptMessage(message, lease) {
      const [seq, hasRange] = await writer.run(
        "acceptMessage",
        toMessageRow(message),
        lease ? [lease.owner, endOf(lease)] : null,
      );
      const range: AudienceRange = {
        messageSeq: seq,
        topicSeq: message.topic?.seq ?? 0,
        afterTarget: 0,
        uptoTarget: undefined,
        fence: 1,
      };
      return { seq, range: hasRange && lease ? range : undefined };
    },
    async acceptDirectMessage(message, recipients, billable) {
      const seq = await writer.run(
        "acceptDirectMessage",
        toMessageRow(message),
        recipients.map((it) => [protocolCodes[it.protocol], it.endpoint]),
        billable,
      );
      return { seq };
    },
    async claimRanges(lease, limit) {
      const until = endOf(lease);
      const rows = await writer.run("claimRanges", lease.owner, until, limit);
      return readable(rows, (row) => {
        const found = messageBySeq.get(row[0]);
        if (!found) throw new Error(`There is no message ${row[0]}.`);
        const message = toMessage(found);
        return { range: toRange(row, message), message };
      });
    },
    async readAudience({ topicSeq, afterTarget, uptoTarget }, limit) {
      const isWhole = afterTarget === 0 && uptoTarget === undefined;
      const cached = isWhole && smallAudiences.find(topicSeq);
      if (cached) return cached.slice(0, limit);
      const upto = uptoTarget ?? Number.MAX_SAFE_INTEGER;
      const recipients = nextOfAudience
        .all(topicSeq, afterTarget, upto, limit)
        .map((row) => audience.fromRow(row));
      const isSmall = recipients.length <= maxSmallAudience;
      if (isWhole && isSmall && recipients.length < limit) {
        smallAudiences.set(topicSeq, recipients);
      }
      return recipients;
    },
    async splitRange(range, uptoTarget) {
      const { messageSeq, afterTarget, fence } = range;
      const isCut = await writer.run(
        "splitRange",
        messageSeq,
        afterTarget,
        fence,
        uptoTarget,
      );
      return isCut ? { range: { ...range, uptoTarget } } : undefined;
    },
    async completeRange({ messageSeq, afterTarget, fence }, outcomes) {
      const { result, refused } = await write(outcomes, (columns) =>
        writer.run("completeRange", messageSeq, afterTarget, fence, columns),
      );
      if (!result.kept) return result;
      return { kept: true, refused: [...refused, ...result.refused] };
    },
    releaseRange: ({ messageSeq, afterTarget, fence }) =>
      writer.run("releaseRange", messageSeq, afterTarget, fence),
    async claimDue(lease, now, limit) {
      const until = endOf(lease);
      const rows = await writer.run("claimDue", lease.owner, until, now, limit);
      return readable(rows, toClaimedDelivery);
    },
    async recordOutcomes(outcomes) {
      const { result, refused } = await write(outcomes, (columns) =>
        writer.run("recordOutcomes", columns),
      );
      return [...refused, ...result];
    },
    async renewLeases(lease) {
      await writer.run("renewLeases", lease.owner, endOf(lease));
    },
    reclaimLapsed: (now) =>
      writer.run("reclaim", Math.floor(clock.monotonic()), now),
    reclaimAll: (now) => writer.run("reclaim", Number.MAX_SAFE_INTEGER, now),
    async peekWork() {
      const next = nextDue.get()?.[0];
      return {
        hasRanges: freeRange.get() !== undefined,
        nextDueAt: next === undefined ? undefined : toEpochMs(next),
      };
    },
    async countBacklog(limit) {
      const [waiting = 0, all = 0] = backlog.get(limit) ?? [];
      const [ranges = 0] = freeRanges.get(limit) ?? [];
      return { waiting, retrying: all - waiting, ranges };
    },
    recordReceipt: (receipt) => writer.run("recordReceipt", receipt),
    findMessageBySeq,
  };
}

function toRange(
  [messageSeq, afterTarget, upto, fence]: RangeRow,
  { topic }: Message,
): AudienceRange {
  return {
    messageSeq,
    topicSeq: topic?.seq ?? 0,
    afterTarget,
    uptoTarget: upto ?? undefined,
    fence,
  };
}
