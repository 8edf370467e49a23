/** The engine's side of the store in SQLite. */

import type {
  Chunk,
  ClaimedDelivery,
  DeliveryStore,
  Lease,
  Recipient,
  SubscriptionId,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { toAttempt } from "../schema/attempt-row.ts";
import {
  protocolCodes,
  protocolOf,
  receiptEventCodes,
  stateCodes,
  stateOf,
} from "../schema/codes.ts";
import { FilterPolicies } from "../schema/filter-policies.ts";
import {
  type MessageRow,
  messageColumns,
  toMessage,
  toMessageValues,
} from "../schema/message-row.ts";
import { orNull } from "../schema/query.ts";
import type { ChunkRow } from "../write/chunk-writes.ts";
import type { DueRow } from "../write/delivery-writes.ts";
import type { LeaseValues } from "../write/message-writes.ts";
import { toOutcomeColumns } from "../write/outcome-columns.ts";
import { toExtension } from "./subscription-store.ts";

type AudienceRow = readonly [
  seq: number,
  protocol: number,
  endpoint: string,
  id: string,
  extension: string | null,
  filterPolicies: string | null,
];

export function createDeliveryStore({
  reader,
  writer,
}: Connections): DeliveryStore {
  /** Parameters: number. Index: the primary key. */
  const messageBySeq = reader.prepare<MessageRow>(
    `SELECT ${messageColumns} FROM messages WHERE seq = ?`,
  );
  /**
   * The next recipients of a topic's message.
   * Parameters: message, after, up to, limit. Index: subscriptions_active, in
   * which the row number is the hidden last column.
   */
  const audience = reader.prepare<AudienceRow>(
    `SELECT seq, protocol, endpoint, id, extension, filter_policies
     FROM subscriptions INDEXED BY subscriptions_active
     WHERE topic_seq = (SELECT topic_seq FROM messages WHERE seq = ?)
       AND status IN (1, 2) AND seq > ? AND seq <= ?
     ORDER BY seq LIMIT ?`,
  );
  /** Index: deliveries_due, whose first row it is but for billable attempts. */
  const nextDue = reader.prepare<[nextAttemptAt: number]>(
    `SELECT next_attempt_at FROM deliveries INDEXED BY deliveries_due
     WHERE next_attempt_at IS NOT NULL
       AND NOT (billable = 1 AND state = ${stateCodes.sending})
     ORDER BY next_attempt_at LIMIT 1`,
  );
  /** Parameters: now. */
  const freeChunk = reader.prepare<[1]>(
    "SELECT 1 FROM chunks WHERE lease_until <= ? LIMIT 1",
  );

  const filters = new FilterPolicies();

  async function findMessageBySeq(seq: number) {
    const row = messageBySeq.get(seq);
    return row && toMessage(row);
  }

  return {
    async acceptMessage(message, lease) {
      const { seq, hasChunk } = await writer.run(
        "acceptMessage",
        toMessageValues(message),
        toLeaseValues(lease),
      );
      const chunk: Chunk = {
        messageSeq: seq,
        afterTarget: 0,
        uptoTarget: undefined,
        fence: 1,
      };
      return { seq, chunk: hasChunk && lease ? chunk : undefined };
    },
    async acceptDirectMessage(message, recipients, billable) {
      const seq = await writer.run(
        "acceptDirectMessage",
        toMessageValues(message),
        recipients.map((it) => [protocolCodes[it.protocol], it.endpoint]),
        billable,
      );
      return { seq };
    },
    async claimChunks({ owner, until }, now, limit) {
      const rows = await writer.run("claimChunks", owner, until, now, limit);
      return rows.map((row) => {
        const message = messageBySeq.get(row[0]);
        if (!message) throw new Error(`There is no message ${row[0]}.`);
        return { chunk: toChunk(row), message: toMessage(message) };
      });
    },
    async readAudience({ messageSeq, afterTarget, uptoTarget }, limit) {
      const upto = uptoTarget ?? Number.MAX_SAFE_INTEGER;
      return audience
        .all(messageSeq, afterTarget, upto, limit)
        .map(([seq, protocol, endpoint, id, extension, policies]) => {
          const filterPolicies = filters.parse(policies);
          return {
            ...toRecipient(seq, protocol, endpoint, id, extension),
            ...(filterPolicies && { filterPolicies }),
          };
        });
    },
    async splitChunk(chunk, uptoTarget, lease) {
      const { messageSeq, afterTarget, fence } = chunk;
      const restFence = await writer.run(
        "splitChunk",
        messageSeq,
        afterTarget,
        fence,
        uptoTarget,
        toLeaseValues(lease),
      );
      if (restFence === undefined) return undefined;
      return {
        chunk: { messageSeq, afterTarget, uptoTarget, fence },
        rest: {
          messageSeq,
          afterTarget: uptoTarget,
          uptoTarget: undefined,
          fence: restFence,
        },
      };
    },
    completeChunk: ({ messageSeq, afterTarget, fence }, outcomes) =>
      writer.run(
        "completeChunk",
        messageSeq,
        afterTarget,
        fence,
        toOutcomeColumns(outcomes),
      ),
    releaseChunk: ({ messageSeq, afterTarget, fence }) =>
      writer.run("releaseChunk", messageSeq, afterTarget, fence),
    extendLeases: ({ owner, until }) =>
      writer.run("extendLeases", owner, until),
    async claimDue({ until }, now, limit) {
      const rows = await writer.run("claimDue", until, now, limit);
      return rows.map(toClaimed);
    },
    settleInterrupted: (now) => writer.run("settleInterrupted", now),
    recordOutcomes: (outcomes) =>
      writer.run("recordOutcomes", toOutcomeColumns(outcomes)),
    recordReceipt: ({ provider, externalId, event, at, code, text }) =>
      writer.run(
        "recordReceipt",
        provider,
        externalId,
        receiptEventCodes[event],
        at,
        orNull(code),
        orNull(text),
      ),
    findMessageBySeq,
    async nextDueAt() {
      return nextDue.get()?.[0];
    },
    async hasUnclaimedChunks(now) {
      return freeChunk.get(now) !== undefined;
    },
  };
}

function toLeaseValues(lease: Lease | undefined): LeaseValues {
  return lease ? [lease.owner, lease.until] : null;
}

function toChunk([messageSeq, afterTarget, upto, fence]: ChunkRow): Chunk {
  return { messageSeq, afterTarget, uptoTarget: upto ?? undefined, fence };
}

function toRecipient(
  target: number,
  protocol: number,
  endpoint: string,
  subscriptionId: string | null,
  json: string | null,
): Recipient {
  const extension = toExtension(json);
  return {
    target,
    protocol: protocolOf(protocol),
    endpoint,
    ...(subscriptionId !== null && {
      subscriptionId: subscriptionId as SubscriptionId,
    }),
    ...(extension && { extension }),
  };
}

function toClaimed(row: DueRow): ClaimedDelivery {
  const [
    messageSeq,
    target,
    state,
    attempts,
    fence,
    protocol,
    endpoint,
    subscriptionId,
    extension,
    ,
    ...last
  ] = row;
  const lastAttempt = toAttempt(last);
  if (protocol === null || endpoint === null) {
    throw new Error(`Nobody is target ${target} of message ${messageSeq}.`);
  }
  return {
    messageSeq,
    recipient: toRecipient(
      target,
      protocol,
      endpoint,
      subscriptionId,
      extension,
    ),
    state: stateOf(state),
    attempts,
    ...(lastAttempt && { lastAttempt }),
    fence: fence + 1,
  };
}
