/** All that the writer thread can be asked to do, by name. */

import type { DatabaseSync } from "node:sqlite";
import { createActionWrites } from "./action-writes.ts";
import { createAuditWrites } from "./audit-writes.ts";
import { createBindingWrites } from "./binding-writes.ts";
import type { ChangeJournal } from "./change-journal.ts";
import type { ChangeNotices } from "./change-notices.ts";
import { createChangeWrites } from "./change-writes.ts";
import { createCounterWrites } from "./counter-writes.ts";
import { createDeliveryCheckWrites } from "./delivery-check-writes.ts";
import { createDeliveryWrites } from "./delivery-writes.ts";
import { createDetectionWrites } from "./detection-writes.ts";
import { createFailingEndpointWrites } from "./failing-endpoint-writes.ts";
import { createIdempotencyWrites } from "./idempotency-writes.ts";
import { createIdentityWrites } from "./identity-writes.ts";
import { createImportWrites } from "./import-writes.ts";
import { createInboundWrites } from "./inbound-writes.ts";
import { createJobWrites } from "./job-writes.ts";
import { createLeaseWrites } from "./lease-writes.ts";
import { createMailEventWrites } from "./mail-event-writes.ts";
import { createMailboxWrites } from "./mailbox-writes.ts";
import { createMessageWrites } from "./message-writes.ts";
import { createOptOutWrites } from "./opt-out-writes.ts";
import { createPublisherWrites } from "./publisher-writes.ts";
import { createQueueWrites } from "./queue-writes.ts";
import { createRangeWrites } from "./range-writes.ts";
import { createReceiptWrites } from "./receipt-writes.ts";
import { createResourceTagWrites } from "./resource-tag-writes.ts";
import type { StateRules } from "./state-rules.ts";
import { createStoredMessageWrites } from "./stored-message-writes.ts";
import { createStoredTemplateWrites } from "./stored-template-writes.ts";
import { createSubscriptionUserWrites } from "./subscription-user-writes.ts";
import { createSubscriptionWrites } from "./subscription-writes.ts";
import { createTemplateWrites } from "./template-writes.ts";
import { createTopicWrites } from "./topic-writes.ts";
import { createWithdrawalWrites } from "./withdrawal-writes.ts";

export type Operations = ReturnType<typeof createOperations>;

export type OperationName = keyof Operations;

export function createOperations(
  db: DatabaseSync,
  rules: StateRules,
  /** Where they note what they changed. */
  {
    journal,
    notices,
  }: {
    readonly journal: ChangeJournal;
    readonly notices: ChangeNotices;
  },
) {
  return {
    ...createTopicWrites(db, journal, notices),
    ...createResourceTagWrites(db),
    ...createSubscriptionWrites(db, journal, notices),
    ...createSubscriptionUserWrites(db),
    ...createMailboxWrites(db, journal, notices),
    ...createPublisherWrites(db),
    ...createTemplateWrites(db),
    ...createStoredTemplateWrites(db),
    ...createBindingWrites(db, notices),
    ...createMessageWrites(db, journal),
    ...createIdempotencyWrites(db, journal),
    ...createStoredMessageWrites(db, journal),
    ...createImportWrites(db, journal),
    ...createRangeWrites(db, rules, journal),
    ...createDeliveryWrites(db, rules, journal),
    ...createQueueWrites(db, journal),
    ...createWithdrawalWrites(db, journal),
    ...createLeaseWrites(db, journal),
    ...createReceiptWrites(db, journal),
    ...createDeliveryCheckWrites(db, journal),
    ...createActionWrites(db, journal),
    ...createJobWrites(db, journal, notices),
    ...createInboundWrites(db, journal),
    ...createOptOutWrites(db),
    ...createMailEventWrites(db, journal),
    ...createIdentityWrites(db, notices),
    ...createCounterWrites(db),
    ...createDetectionWrites(db),
    ...createAuditWrites(db),
    ...createChangeWrites(db, journal),
    ...createFailingEndpointWrites(db, journal, notices),
  };
}
