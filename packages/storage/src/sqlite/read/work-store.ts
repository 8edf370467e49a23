/**
 * Work in SQLite, for engines, and the acceptance of messages, which claims the
 * first piece of it. Its time is the process's own: leases run on the clock
 * since the store was opened, and what is due is due by a clock that nobody can
 * set.
 */

import {
  type AcceptedMessage,
  type Attempt,
  type AudienceRange,
  addMs,
  type ClaimedDelivery,
  type ClaimRequest,
  type Clock,
  type DeliveryPart,
  type DeliveryStore,
  type DirectRecipient,
  type EpochMs,
  type IdempotencyStore,
  type Lease,
  type Logger,
  type MessageId,
  type NewMessage,
  type OtherSubscription,
  type RangeLease,
  type Recipient,
  type RefusedOutcome,
  type ReleasedWork,
  type Store,
  stateBeforeClaim,
  toEpochMs,
  urgencies,
  urgentOnly,
  type WorkStore,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { stateCodes, stateOf, waitReasonCodes } from "../schema/codes.ts";
import {
  attempts as attemptTable,
  type Outcome,
  parts,
} from "../schema/delivery-table.ts";
import { backlogSql, nextDeliverySql } from "../schema/due-deliveries.ts";
import { toClaimedDelivery } from "../schema/due-row.ts";
import { FilterPolicies } from "../schema/filter-policies.ts";
import {
  type IdempotencyKeyRow,
  idempotencyKeys,
} from "../schema/idempotency-table.ts";
import {
  type MessageRow,
  messages,
  toMessage,
  toMessageParts,
  toMessageRow,
} from "../schema/message-table.ts";
import {
  defineAudience,
  defineOtherSubscriptions,
} from "../schema/subscription-table.ts";
import type { RowOf } from "../schema/table.ts";
import type { HeldDelivery } from "../write/lease-writes.ts";
import type {
  AcceptedRow,
  FirstRangeLease,
  RecipientRow,
} from "../write/message-writes.ts";
import {
  type OutcomeColumns,
  toOutcomeColumns,
} from "../write/outcome-columns.ts";
import type { RangeKey, RangeRow } from "../write/range-writes.ts";
import { dueAt, toWait } from "./due-at.ts";
import { endOfLease } from "./lease-end.ts";
import { ReadCache } from "./read-cache.ts";
import { replaceUncopyable } from "./uncopyable-outcomes.ts";

/** Recipients of an audience that is cached; each takes about 500 bytes. */
const maxSmallAudience = 16;

export function createWorkStore(
  { reader, writer }: Connections,
  clock: Clock,
  logger: Logger,
): WorkStore & DeliveryStore & IdempotencyStore & Pick<Store, "reclaimAll"> {
  /** Parameters: number. Index: the primary key. */
  const messageBySeq = reader.prepare<MessageRow>(
    `SELECT ${messages.columns()} FROM messages WHERE seq = ?`,
  );
  /** Parameters: number. Index: the primary key. */
  const cancelledMessage = reader.prepare<[1]>(
    "SELECT 1 FROM messages WHERE seq = ? AND cancelled_at IS NOT NULL",
  );
  /**
   * The next recipients of a topic's message.
   * Parameters: topic, after, up to, limit. Index: subscriptions_active, in
   * which the row number is the hidden last column.
   */
  const policies = new FilterPolicies();
  const audience = defineAudience(policies);
  const nextOfAudience = reader.prepare<RowOf<Recipient>>(
    `SELECT ${audience.columns()}
     FROM subscriptions INDEXED BY subscriptions_active
     WHERE topic_seq = ? AND status IN (1, 2, 5) AND seq > ? AND seq <= ?
     ORDER BY seq LIMIT ?`,
  );
  /**
   * Of subscriptions to one topic of a message, those of the same protocol and
   * endpoint to its other topics that are active or have a delivery of it.
   * Parameters: numbers of the subscriptions as JSON, message, topic. Indexes: the
   * primary keys, subscriptions_endpoint.
   */
  const otherSubscriptions = defineOtherSubscriptions(policies);
  const othersOf = reader.prepare<
    RowOf<ReturnType<typeof otherSubscriptions.fromRow>>
  >(
    `SELECT ${otherSubscriptions.columns("s")} FROM json_each(?) AS n
     CROSS JOIN subscriptions AS own ON own.seq = n.value
     CROSS JOIN message_topics AS t ON t.message_seq = ? AND t.topic_seq <> ?
     CROSS JOIN subscriptions AS s INDEXED BY subscriptions_endpoint
       ON s.endpoint = own.endpoint AND s.topic_seq = t.topic_seq
         AND s.protocol = own.protocol AND s.status < 4
     LEFT JOIN deliveries AS d
       ON d.message_seq = t.message_seq AND d.target = s.seq
     WHERE s.status IN (1, 2) OR d.state IS NOT NULL
     ORDER BY own.seq, t.position`,
  );
  /**
   * By topic, whole audiences that are small: where a topic has a few
   * subscribers only, reading them would cost as much as half of the delivery.
   */
  const smallAudiences = new ReadCache<number, readonly Recipient[]>(writer, {
    staleBy: (change) =>
      change.kind === "subscriptions" ? { key: change.topicSeq } : undefined,
  });
  const nextDelivery = reader.prepare<(EpochMs | null)[]>(nextDeliverySql);
  /** Index: ranges_free, whose first row with an instant it is. */
  const nextRange = reader.prepare<[dueAt: EpochMs]>(
    `SELECT due_at FROM ranges INDEXED BY ranges_free
     WHERE owner IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT 1`,
  );
  /** Parameters: project, key, now. Index: the primary key. */
  const heldKey = reader.prepare<IdempotencyKeyRow>(
    `SELECT ${idempotencyKeys.columns()} FROM idempotency_keys
     WHERE project_id = ? AND key = ? AND expires_at > ?`,
  );
  /** Parameters: message, target. Index: the primary key. */
  const earlierAttempts = reader.prepare<RowOf<Attempt>>(
    `SELECT ${attemptTable.columns()} FROM attempts
     WHERE message_seq = ? AND target = ? ORDER BY n`,
  );
  /** Parameters: message, target, attempt. Index: the primary key. */
  const partsOfAttempt = reader.prepare<RowOf<DeliveryPart>>(
    `SELECT ${parts.columns()} FROM parts
     WHERE message_seq = ? AND target = ? AND attempt = ? ORDER BY part`,
  );
  /**
   * From one provider to the next, whose first row each is: as many steps as
   * there are providers. Index: deliveries_poll.
   */
  const duePolls = reader.prepare<[entry: string, pollAt: EpochMs]>(
    `WITH RECURSIVE entries (name) AS (
       SELECT min(provider) FROM deliveries INDEXED BY deliveries_poll
       WHERE poll_at IS NOT NULL
       UNION ALL
       SELECT (SELECT min(provider) FROM deliveries INDEXED BY deliveries_poll
               WHERE poll_at IS NOT NULL AND provider > name)
       FROM entries WHERE name IS NOT NULL
     )
     SELECT name, (SELECT min(poll_at) FROM deliveries INDEXED BY deliveries_poll
                   WHERE provider = name AND poll_at IS NOT NULL)
     FROM entries WHERE name IS NOT NULL`,
  );
  /** Parameters: message and target of each, as JSON. Index: primary keys. */
  const released = reader.prepare<
    [
      messageSeq: number,
      target: number,
      messageId: MessageId,
      state: number,
      attempts: number,
    ]
  >(
    `SELECT d.message_seq, d.target, m.id, d.state, d.attempts
     FROM json_each(?) AS k
     CROSS JOIN deliveries AS d
       ON d.message_seq = k.value ->> 0 AND d.target = k.value ->> 1
     CROSS JOIN messages AS m ON m.seq = d.message_seq`,
  );
  const backlog = reader.prepare<[waiting: number, all: number]>(backlogSql);
  /** Parameters: limit. Index: ranges_free. */
  const freeRanges = reader.prepare<[number]>(
    `SELECT count(*) FROM (SELECT 1 FROM ranges INDEXED BY ranges_free
                           WHERE owner IS NULL LIMIT ?)`,
  );

  const endOf = (lease: Lease) => endOfLease(lease, clock);

  const dueAtOf = (message: NewMessage) => dueAt(message, clock);
  const waitOf = (
    message: NewMessage,
    { length }: readonly DirectRecipient[],
  ) => toWait(message, clock, { recipients: length });

  /** What is not due yet is claimed by nobody. */
  function toFirstRangeLease(
    message: NewMessage,
    lease: RangeLease | undefined,
  ): FirstRangeLease | null {
    const { notBefore, topic } = message;
    const isDue = notBefore === undefined || notBefore <= clock.now();
    if (lease === undefined || !isDue) return null;
    const isSmall = smallAudiences.find(topic?.seq ?? 0) !== undefined;
    return [lease.owner, endOf(lease), isSmall ? null : lease.rangeSize];
  }

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

  /** Reads them only of what costs money, and was attempted twice or more. */
  function withEarlierAttempts(claim: ClaimedDelivery): ClaimedDelivery {
    const { messageSeq, recipient, lastAttempt, attempts } = claim;
    if (attempts < 2 || lastAttempt?.provider === undefined) return claim;
    const rows = earlierAttempts.all(messageSeq, recipient.target);
    const earlier = rows.map((row) => attemptTable.fromRow(row));
    return { ...claim, earlierAttempts: earlier };
  }

  async function claimRanges(
    lease: Lease,
    { limit, rangeSize, maxCutRanges = limit }: ClaimRequest,
  ) {
    const { claimed, mayHaveMore } = await writer.run(
      "claimRanges",
      lease.owner,
      endOf(lease),
      clock.now(),
      { limit, rangeSize: rangeSize ?? null, maxCutRanges },
    );
    const ranges = readable(claimed, (row) => {
      const found = messageBySeq.get(row[0]);
      if (!found) throw new Error(`There is no message ${row[0]}.`);
      const range = toRange(row);
      // The free ranges of one are gone: it was held before.
      const isCancelled = range.fence > 1 && cancelledMessage.get(row[0]);
      return {
        range,
        message: toMessage(found),
        ...(isCancelled && { isCancelled: true as const }),
      };
    });
    return { ranges, mayHaveMore };
  }

  async function claimDeliveries(
    lease: Lease,
    { limit, urgencies: asked = urgencies }: ClaimRequest,
  ) {
    const rows = await writer.run(
      "claimDue",
      lease.owner,
      endOf(lease),
      clock.now(),
      limit,
      asked,
    );
    return {
      deliveries: readable(rows, (row) =>
        withEarlierAttempts(toClaimedDelivery(row)),
      ),
      mayHaveMore: rows.length === limit,
    };
  }

  function readTopicAudience(
    { topicSeq, afterTarget, uptoTarget }: AudienceRange,
    limit: number,
  ): readonly Recipient[] {
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
  }

  /** The recipients with what their subscribers have in the other topics. */
  function withOthers(
    { messageSeq, topicSeq }: AudienceRange,
    position: number,
    recipients: readonly Recipient[],
  ): Recipient[] {
    const targets = JSON.stringify(recipients.map(({ target }) => target));
    const others = new Map<number, OtherSubscription[]>();
    for (const row of othersOf.all(targets, messageSeq, topicSeq)) {
      const { of, topicPosition, isWithdrawn, ...rest } =
        otherSubscriptions.fromRow(row);
      const other: OtherSubscription = {
        ...rest,
        isLater: topicPosition > position,
        ...(isWithdrawn && { isWithdrawn }),
      };
      const known = others.get(of);
      if (known) known.push(other);
      else others.set(of, [other]);
    }
    return recipients.map((recipient) => {
      const found = others.get(recipient.target);
      return found ? { ...recipient, others: found } : recipient;
    });
  }

  return {
    async acceptMessage(message, lease) {
      const accepted = await writer.run(
        "acceptMessage",
        toMessageRow(message),
        toMessageParts(message),
        dueAtOf(message),
        toFirstRangeLease(message, lease),
      );
      return toAccepted(message, accepted);
    },
    async acceptOnce(key, message, audience) {
      const { kind } = audience;
      const accepted = await writer.run(
        "acceptOnce",
        key,
        message.createdAt,
        toMessageRow(message),
        toMessageParts(message),
        kind === "topics"
          ? [kind, dueAtOf(message), toFirstRangeLease(message, audience.lease)]
          : [
              kind,
              waitOf(message, audience.recipients),
              toRecipientRows(audience.recipients),
            ],
      );
      if (typeof accepted === "object" && "earlier" in accepted) {
        const earlier = idempotencyKeys.fromRow(accepted.earlier);
        return { isRepeated: true, earlier };
      }
      return { isRepeated: false, ...toAccepted(message, accepted) };
    },
    async findIdempotencyKey(projectId, key, now) {
      const row = heldKey.get(projectId, key, now);
      return row && idempotencyKeys.fromRow(row);
    },
    removeEndedKeys: (now, limit) => writer.run("removeEndedKeys", now, limit),
    async acceptDirectMessage(message, recipients) {
      const seq = await writer.run(
        "acceptDirectMessage",
        toMessageRow(message),
        toMessageParts(message),
        toRecipientRows(recipients),
        waitOf(message, recipients),
      );
      return { seq };
    },
    recordReceipt: (receipt, source) =>
      writer.run("recordReceipt", receipt, source),
    async listDuePolls() {
      const now = clock.now();
      return duePolls.all().map(([entry, pollAt]) => ({
        entry,
        dueInMs: pollAt - now,
      }));
    },
    async claimPolls(entry, leaseMs, limit) {
      const now = clock.now();
      const until = addMs(now, leaseMs);
      const { rows, mayHaveMore } = await writer.run(
        "claimPolls",
        entry,
        now,
        until,
        limit,
      );
      const polls = readable(
        rows,
        ([messageSeq, target, attempts, sentAt]) => ({
          messageSeq,
          target,
          attempts,
          sentAt,
          parts: partsOfAttempt
            .all(messageSeq, target, attempts)
            .map((row) => parts.fromRow(row)),
        }),
      );
      return { polls, mayHaveMore };
    },
    schedulePolls: (polls) => writer.run("schedulePolls", polls),
    async findMessageBySeq(seq) {
      const row = messageBySeq.get(seq);
      return row && toMessage(row);
    },
    async claim(lease, request) {
      const { kinds } = request;
      const ofRanges = kinds.includes("range")
        ? await claimRanges(lease, request)
        : undefined;
      const ofDeliveries = kinds.includes("delivery")
        ? await claimDeliveries(lease, request)
        : undefined;
      return {
        ranges: ofRanges?.ranges ?? [],
        deliveries: ofDeliveries?.deliveries ?? [],
        mayHaveMore:
          ofRanges?.mayHaveMore === true || ofDeliveries?.mayHaveMore === true,
      };
    },
    async readAudience(range, limit) {
      const recipients = readTopicAudience(range, limit);
      return range.topicPosition === undefined
        ? recipients
        : withOthers(range, range.topicPosition, recipients);
    },
    async renew(lease) {
      await writer.run("renewLeases", lease.owner, endOf(lease));
    },
    recordIntents: (intents) => writer.run("recordIntents", intents),
    async finish(work) {
      if ("deliveries" in work) {
        const { result, refused } = await write(work.deliveries, (columns) =>
          writer.run("recordOutcomes", columns),
        );
        return { kept: true, refused: [...refused, ...result] };
      }
      const { range, outcomes, uptoTarget = null } = work;
      const { result, refused } = await write(outcomes, (columns) =>
        writer.run(
          "finishRange",
          keyOf(range),
          range.topicPosition ?? null,
          columns,
          uptoTarget,
          clock.now(),
        ),
      );
      if (result === true) return { kept: true, refused };
      if (!result.kept) return result;
      return { ...result, refused: [...refused, ...result.refused] };
    },
    async release(work, { delayMs = 0 } = {}) {
      const nextAttemptAt =
        delayMs === Number.POSITIVE_INFINITY
          ? undefined
          : toEpochMs(Math.ceil(clock.now() + delayMs));
      const { ranges, deliveries } = separate(work);
      await Promise.all([
        ranges.length > 0 && writer.run("releaseRanges", ranges),
        deliveries.length > 0 &&
          writer.run(
            "releaseDeliveries",
            deliveries,
            nextAttemptAt,
            clock.now(),
          ),
      ]);
    },
    reclaim: () =>
      writer.run("reclaim", Math.floor(clock.monotonic()), clock.now()),
    reclaimAll: () => writer.run("reclaimAll", clock.now()),
    async makeDue(reason, limit) {
      const code = waitReasonCodes[reason];
      const rows = await writer.run("makeDue", code, clock.now(), limit);
      return rows.map(([messageSeq, target, attempts]) => ({
        messageSeq,
        target,
        attempts,
      }));
    },
    async readReleased(deliveries) {
      const keys = deliveries.map((it) => [it.messageSeq, it.target]);
      return released
        .all(JSON.stringify(keys))
        .map(([messageSeq, target, messageId, state, attempts]) => ({
          messageSeq,
          target,
          messageId,
          state: stateOf(state),
          attempts,
        }));
    },
    async nextDue() {
      const now = clock.now();
      const range = nextRange.get()?.[0];
      const dueAts = nextDelivery.get() ?? [];
      const urgent = earliestOf(dueAts.slice(0, urgentOnly.length));
      const delivery = earliestOf(dueAts);
      return {
        ...(range !== undefined && { range: range - now }),
        ...(delivery !== undefined && { delivery: delivery - now }),
        ...(urgent !== undefined && { urgentDelivery: urgent - now }),
      };
    },
    async countBacklog(limit) {
      const [waiting = 0, all = 0] = backlog.get(limit) ?? [];
      const [ranges = 0] = freeRanges.get(limit) ?? [];
      return { waiting, retrying: all - waiting, ranges };
    },
  };
}

function earliestOf(
  instants: readonly (EpochMs | null)[],
): EpochMs | undefined {
  let earliest: EpochMs | undefined;
  for (const at of instants) {
    if (at === null) continue;
    if (earliest === undefined || at < earliest) earliest = at;
  }
  return earliest;
}

function toAccepted(
  { topic, topics }: NewMessage,
  accepted: AcceptedRow,
): AcceptedMessage {
  if (typeof accepted === "number") {
    return { seq: accepted, range: undefined, unclaimed: 0 };
  }
  const [seq, unclaimed, uptoTarget, position = null] = accepted;
  if (uptoTarget === undefined) return { seq, range: undefined, unclaimed };
  const walked = position === null ? topic : topics?.[position];
  const range = toRange([seq, walked?.seq ?? 0, 0, uptoTarget, 1, position]);
  return { seq, range, unclaimed };
}

function toRecipientRows(
  recipients: readonly DirectRecipient[],
): RecipientRow[] {
  return recipients.map(({ protocol, endpoint, billable }) => [
    protocol,
    endpoint,
    billable,
  ]);
}

function toRange([
  messageSeq,
  topicSeq,
  afterTarget,
  upto,
  fence,
  topicPosition,
]: RangeRow): AudienceRange {
  const uptoTarget = upto ?? undefined;
  return {
    messageSeq,
    topicSeq,
    ...(topicPosition !== null && { topicPosition }),
    afterTarget,
    uptoTarget,
    fence,
  };
}

function keyOf(range: AudienceRange): RangeKey {
  const { messageSeq, topicSeq, afterTarget, fence } = range;
  return [messageSeq, topicSeq, afterTarget, fence];
}

function separate(work: readonly ReleasedWork[]) {
  const ranges: RangeKey[] = [];
  const deliveries: HeldDelivery[] = [];
  for (const it of work) {
    if ("range" in it) ranges.push(keyOf(it.range));
    else {
      const { messageSeq, recipient, fence } = it.delivery;
      const state = stateCodes[stateBeforeClaim(it.delivery)];
      deliveries.push({ messageSeq, target: recipient.target, fence, state });
    }
  }
  return { ranges, deliveries };
}
