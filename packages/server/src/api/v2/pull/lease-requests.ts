/** What is done with leases, by whichever connection: schemas, and carrying it out. */

import {
  type LeaseKey,
  type MailboxAccount,
  type Mailboxes,
  parseLeaseId,
  pullLimits,
  toLeaseId,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../../json-schema.ts";
import { toMillisecondsText } from "../../timestamps.ts";
import { failsWith } from "../../validation.ts";
import { instant } from "../schema-parts.ts";

const leaseIds = Type.Array(
  Type.String({ maxLength: 64, ...failsWith("LEASE_ID_INVALID") }),
  {
    maxItems: pullLimits.leaseIds,
    description: `As messages came with them, ${pullLimits.leaseIds} at most`,
    ...failsWith("PULL_OPTION_INVALID"),
  },
);

const maxDelayMs = pullLimits.nackDelayMs;
const minSeconds = pullLimits.minLeaseMs / 1000;
const maxSeconds = pullLimits.maxLeaseMs / 1000;

export const AckRequest = Type.Object({ leaseIds }, { title: "AckRequest" });

export const NackRequest = Type.Object(
  {
    leaseIds,
    delayMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: maxDelayMs,
        default: 0,
        description: `Milliseconds until they come again, at most ${maxDelayMs}`,
        ...failsWith("PULL_OPTION_INVALID"),
      }),
    ),
  },
  { title: "NackRequest" },
);

export const ExtendRequest = Type.Object(
  {
    leaseIds,
    seconds: Type.Integer({
      minimum: minSeconds,
      maximum: maxSeconds,
      description: `How long the leases last from now on, ${minSeconds} to ${maxSeconds}`,
      ...failsWith("PULL_OPTION_INVALID"),
    }),
  },
  { title: "ExtendRequest" },
);

const stale = Type.Array(Type.String(), {
  description:
    "Those that had ended, or that there never were: somebody else may have the message by now, or it is confirmed",
});

const ids = (description: string) => Type.Array(Type.String(), { description });

export const Acked = Type.Object(
  { acked: ids("Leases whose messages are confirmed"), stale },
  { title: "Acked" },
);

export const Nacked = Type.Object(
  { nacked: ids("Leases whose messages come again"), stale },
  { title: "Nacked" },
);

export const Extended = Type.Object(
  {
    extended: ids("Leases that last for longer"),
    stale,
    leaseUntil: instant("When those that were extended end"),
  },
  { title: "Extended" },
);

/** @throws CarillonError LEASE_ID_INVALID; then nothing changes */
export async function ack(
  mailboxes: Mailboxes,
  mailbox: MailboxAccount,
  request: Static<typeof AckRequest>,
): Promise<Static<typeof Acked>> {
  const keys = toKeys(request);
  const { settled, stale } = await mailboxes.ack(mailbox, keys);
  return { acked: toIds(settled), stale: toIds(stale) };
}

/** @throws CarillonError LEASE_ID_INVALID; then nothing changes */
export async function nack(
  mailboxes: Mailboxes,
  mailbox: MailboxAccount,
  request: Static<typeof NackRequest>,
): Promise<Static<typeof Nacked>> {
  const { delayMs = 0 } = request;
  const { settled, stale } = await mailboxes.nack(
    mailbox,
    toKeys(request),
    delayMs,
  );
  return { nacked: toIds(settled), stale: toIds(stale) };
}

/** @throws CarillonError LEASE_ID_INVALID; then nothing changes */
export async function extend(
  mailboxes: Mailboxes,
  mailbox: MailboxAccount,
  request: Static<typeof ExtendRequest>,
): Promise<Static<typeof Extended>> {
  const { settled, stale, until } = await mailboxes.extend(
    mailbox,
    toKeys(request),
    request.seconds * 1000,
  );
  return {
    extended: toIds(settled),
    stale: toIds(stale),
    leaseUntil: toMillisecondsText(until),
  };
}

/** Each once, however often it was named. */
function toKeys({
  leaseIds,
}: {
  readonly leaseIds: readonly string[];
}): LeaseKey[] {
  return [...new Set(leaseIds)].map(parseLeaseId);
}

function toIds(keys: readonly LeaseKey[]): string[] {
  return keys.map(toLeaseId);
}
