/**
 * What consumers saw that no kill explains. A message that was confirmed, and of
 * which the confirmation was answered, was leased for the last time: whatever comes
 * with a greater count of deliveries, or was asked for after that answer, came again.
 */

import type { ConsumerRecord } from "../harness/pull-consumer.ts";

export interface ConsumerFaults {
  /** Came again after the confirmation was answered. */
  readonly again: readonly string[];
  /** Were handed out twice under one lease. */
  readonly shared: readonly string[];
}

export function findConsumerFaults(
  records: readonly ConsumerRecord[],
): ConsumerFaults {
  const confirmed = new Map<string, ConsumerRecord>();
  for (const record of records) {
    if (record.event === "confirmed") confirmed.set(keyOf(record), record);
  }
  const leases = new Set<string>();
  const again: string[] = [];
  const shared: string[] = [];
  for (const record of records) {
    if (record.event !== "got") continue;
    const key = keyOf(record);
    const last = confirmed.get(key);
    if (last !== undefined && comesAfter(record, last)) again.push(key);
    if (record.leaseId === undefined) continue;
    const lease = `${record.mailbox} ${record.leaseId}`;
    if (leases.has(lease)) shared.push(`${key}, lease ${record.leaseId}`);
    leases.add(lease);
  }
  return { again, shared };
}

const keyOf = ({ mailbox, text }: ConsumerRecord) => `${mailbox} ${text}`;

function comesAfter(got: ConsumerRecord, confirmed: ConsumerRecord): boolean {
  if (
    got.deliveryCount !== undefined &&
    confirmed.deliveryCount !== undefined
  ) {
    return got.deliveryCount > confirmed.deliveryCount;
  }
  return got.at > confirmed.at;
}
