/** All that the writer thread can be asked to do, by name. */

import type { DatabaseSync } from "node:sqlite";
import { createActionWrites } from "./action-writes.ts";
import { createAuditWrites } from "./audit-writes.ts";
import { createBindingWrites } from "./binding-writes.ts";
import { createDeliveryWrites } from "./delivery-writes.ts";
import { createIdentityWrites } from "./identity-writes.ts";
import { createInboundWrites } from "./inbound-writes.ts";
import { createJobWrites } from "./job-writes.ts";
import { createLeaseWrites } from "./lease-writes.ts";
import { createMessageWrites } from "./message-writes.ts";
import { createOptOutWrites } from "./opt-out-writes.ts";
import { createRangeWrites } from "./range-writes.ts";
import { createReceiptWrites } from "./receipt-writes.ts";
import { createResourceTagWrites } from "./resource-tag-writes.ts";
import type { StateRules } from "./state-rules.ts";
import { createSubscriptionUserWrites } from "./subscription-user-writes.ts";
import { createSubscriptionWrites } from "./subscription-writes.ts";
import { createTemplateWrites } from "./template-writes.ts";
import { createTopicWrites } from "./topic-writes.ts";

export type Operations = ReturnType<typeof createOperations>;

export type OperationName = keyof Operations;

export function createOperations(db: DatabaseSync, rules: StateRules) {
  return {
    ...createTopicWrites(db),
    ...createResourceTagWrites(db),
    ...createSubscriptionWrites(db),
    ...createSubscriptionUserWrites(db),
    ...createTemplateWrites(db),
    ...createBindingWrites(db),
    ...createMessageWrites(db),
    ...createRangeWrites(db, rules),
    ...createDeliveryWrites(db, rules),
    ...createLeaseWrites(db),
    ...createReceiptWrites(db, rules),
    ...createActionWrites(db),
    ...createJobWrites(db),
    ...createInboundWrites(db),
    ...createOptOutWrites(db),
    ...createIdentityWrites(db),
    ...createAuditWrites(db),
  };
}
