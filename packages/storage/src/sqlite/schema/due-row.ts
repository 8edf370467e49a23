/**
 * A due delivery (d) with its message (m) and with its recipient, one of the
 * message's own (r) or a subscription (s). The writer decides by it and the main
 * thread hands it to the engine.
 */

import type {
  ClaimedDelivery,
  Recipient,
  SubscriptionExtension,
  SubscriptionId,
  SubscriptionSignature,
} from "@carillon/core";
import type { ClaimFacts } from "@carillon/core/rules";
import {
  code,
  computed,
  epochMs,
  integer,
  json,
  optional,
  text,
  textOf,
  truth,
} from "./codec.ts";
import { audienceCodes, stateCodes } from "./codes.ts";
import { lastAttempts, toLastAttempt } from "./delivery-table.ts";
import type { SQLOutputValue } from "./query.ts";
import { status } from "./subscription-table.ts";
import { defineTable } from "./table.ts";

export type DueRow = readonly [
  messageSeq: number,
  target: number,
  state: number,
  ...SQLOutputValue[],
];

const claims = defineTable("deliveries", {
  messageSeq: integer,
  target: integer,
  state: code(stateCodes),
  attempts: integer,
  expiresAt: optional(epochMs),
  resentAfter: integer,
  fence: integer,
  topicSeq: computed(
    `CASE m.audience WHEN ${audienceCodes.topics} THEN s.topic_seq END`,
    optional(integer),
  ),
});

const recipients = defineTable("deliveries", {
  target: integer,
  protocol: computed("coalesce(r.protocol, s.protocol)", text),
  endpoint: computed("coalesce(r.endpoint, s.endpoint)", text),
  subscriptionId: computed("s.id", optional(textOf<SubscriptionId>())),
  generation: computed("s.generation", optional(integer)),
  extension: computed("s.extension", optional(json<SubscriptionExtension>())),
  signature: computed("s.signature", optional(json<SubscriptionSignature>())),
});

/** What decides whether a delivery is still wanted. */
export const claimFacts = {
  audience: computed("m.audience", code(audienceCodes)),
  status: computed("s.status", optional(status)),
  isEscalationOver: computed(
    // Asked of SQLite, for a message may have many. Index: deliveries_round.
    `d.round > 1 AND EXISTS (
       SELECT 1 FROM deliveries AS e INDEXED BY deliveries_round
       WHERE e.message_seq = d.message_seq AND e.round < d.round
         AND e.state = ${stateCodes.delivered}
         -- Each topic of several has a policy of its own.
         AND (m.audience <> ${audienceCodes.topics} OR s.topic_seq =
           (SELECT o.topic_seq FROM subscriptions AS o WHERE o.seq = e.target)))`,
    truth,
  ),
  isMessageCancelled: computed("m.cancelled_at IS NOT NULL", truth),
};

const facts = defineTable("deliveries", claimFacts);

export const dueColumns = [claims, recipients, lastAttempts, facts]
  .map((table) => table.columns("d"))
  .join(", ");

/** The tables behind {@link dueColumns}, joined to deliveries as `d`. */
export const dueTables = `CROSS JOIN messages AS m ON m.seq = d.message_seq
  LEFT JOIN recipients AS r ON m.audience = ${audienceCodes.direct}
    AND r.message_seq = d.message_seq AND r.target = d.target
  LEFT JOIN subscriptions AS s ON m.audience <> ${audienceCodes.direct}
    AND s.seq = d.target`;

const recipientFrom = claims.width;
const lastAttemptFrom = recipientFrom + recipients.width;
const factsFrom = lastAttemptFrom + lastAttempts.width;

export function toClaimFacts(row: DueRow): ClaimFacts {
  const { status, ...rest } = facts.fromRow(row, factsFrom);
  return { ...rest, status };
}

/**
 * The claim that was made of a row which was read before it.
 *
 * @throws Error when a column holds what nothing of ours writes
 */
export function toClaimedDelivery(row: DueRow): ClaimedDelivery {
  toClaimFacts(row);
  const { target: _, fence, resentAfter, ...claim } = claims.fromRow(row);
  const recipient: Recipient = recipients.fromRow(row, recipientFrom);
  const lastAttempt = toLastAttempt(row, lastAttemptFrom);
  return {
    ...claim,
    recipient,
    ...(lastAttempt && { lastAttempt }),
    ...(resentAfter > 0 && { resentAfter }),
    fence: fence + 1,
  };
}
