/** What `pull` of the configuration may hold: how messages are fetched. */

import {
  defaultPullSettings,
  maxMailboxQuota,
  pullLimits,
} from "@carillon/core";
import { Type } from "../json-schema.ts";

const live = { group: "Pull", reloadable: true } as const;

/** Shorter ones than consumers may ask for are for tests and slow motion. */
const minLeaseMs = 100;

/** An hour. */
const maxWindowMs = 3_600_000;

const maxDeliveries = 1000;

/** Ten years. */
const maxDeadLetterDays = 3650;

export const pullSettings = Type.Object({
  leaseMs: Type.Integer({
    ...live,
    description:
      "How many milliseconds a message stays hidden from other consumers once one has fetched it, unless that one asks for another lease. Unconfirmed by then, it is handed out again.",
    expected: `a whole number of milliseconds from ${minLeaseMs} to ${pullLimits.maxLeaseMs}`,
    default: defaultPullSettings.leaseMs,
    minimum: minLeaseMs,
    maximum: pullLimits.maxLeaseMs,
  }),
  confirmWindowMs: Type.Integer({
    ...live,
    description:
      "In the Notipy protocol, whose clients poll and confirm by the same request: one that comes within so many milliseconds of the one before confirms the oldest message that was fetched. Just under the interval at which clients poll.",
    expected: `a whole number of milliseconds from 1 to ${maxWindowMs}`,
    default: defaultPullSettings.confirmWindowMs,
    minimum: 1,
    maximum: maxWindowMs,
  }),
  maxDeliveries: Type.Integer({
    ...live,
    description:
      "How often a message is handed out. Unconfirmed after the last time, it goes to the dead-letter list of its mailbox.",
    expected: `a whole number from 1 to ${maxDeliveries}`,
    default: defaultPullSettings.maxDeliveries,
    minimum: 1,
    maximum: maxDeliveries,
  }),
  deadLetterDays: Type.Integer({
    ...live,
    description:
      "How many days a message stays on the dead-letter list of its mailbox, unless it is put back. Then its delivery is `failed` as before, and can still be resent by its id.",
    expected: `a whole number of days from 1 to ${maxDeadLetterDays}`,
    default: defaultPullSettings.deadLetterDays,
    minimum: 1,
    maximum: maxDeadLetterDays,
  }),
  mailboxQuota: Type.Integer({
    ...live,
    description:
      "Messages that a new mailbox may hold unconfirmed. What comes beyond fails; `carillon subscriber set` changes it for one mailbox.",
    expected: `a whole number from 1 to ${maxMailboxQuota}`,
    default: defaultPullSettings.mailboxQuota,
    minimum: 1,
    maximum: maxMailboxQuota,
  }),
});
