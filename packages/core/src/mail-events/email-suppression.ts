/** Addresses that get no mails, and what puts them on the list. */

import type { DeliveryId, ProjectId } from "../ids.ts";
import { type EpochMs, toEpochMs } from "../time.ts";
import type { MailEventReport } from "./mail-event.ts";

/** From the weakest to the strongest. */
export const suppressionReasons = ["bounced", "complained", "manual"] as const;

/** `bounced`: hard, or soft too often. */
export type SuppressionReason = (typeof suppressionReasons)[number];

/**
 * An address of a project's suppression list. Why it is there is what the
 * strongest of its reasons says, the last one of several.
 */
export interface EmailSuppression {
  readonly projectId: ProjectId;
  /** The address in lower case, its domain in A-labels: one entry for each. */
  readonly key: string;
  /** As it was written. */
  readonly address: string;
  readonly reason: SuppressionReason;
  /** Why, in words. */
  readonly detail?: string;
  /** When it was put on the list, or its last reason came. */
  readonly at: EpochMs;
  /** The delivery that led to it. */
  readonly deliveryId?: DeliveryId;
  /** How often there was a reason. */
  readonly count: number;
}

/** How often soft bounces put an address on the list; `count` 0: never. */
export interface SoftBounceLimit {
  readonly count: number;
  readonly windowMs: number;
}

/** What stands on the list once a reason comes, `known` being there already. */
export function mergeSuppression(
  known: EmailSuppression | undefined,
  added: Omit<EmailSuppression, "count">,
): EmailSuppression {
  if (known === undefined) return { ...added, count: 1 };
  const why = strengthOf(added) < strengthOf(known) ? known : added;
  return {
    ...why,
    // What was reported first may come last.
    at: toEpochMs(Math.max(added.at, known.at)),
    count: known.count + 1,
  };
}

/** Why an event puts its address on the list; `undefined`: it does not. */
export function suppressionReasonOf(
  { event, hard }: Pick<MailEventReport, "event" | "hard">,
  /** Within the window, this one among them. */
  softBounces: number,
  limit: SoftBounceLimit,
): SuppressionReason | undefined {
  if (event === "complained") return "complained";
  if (event !== "bounced") return undefined;
  if (hard) return "bounced";
  return limit.count > 0 && softBounces >= limit.count ? "bounced" : undefined;
}

function strengthOf({ reason }: Pick<EmailSuppression, "reason">): number {
  return suppressionReasons.indexOf(reason);
}
