/**
 * A store that keeps everything in memory: for tests, and the plainest reading
 * of what the ports promise. Not for service: nothing outlives the process.
 */

import {
  type Clock,
  createSteadyClock,
  type Store,
  systemClock,
} from "@carillon/core";
import { createAuditStore } from "./memory-store/audit.ts";
import { createBindingStore } from "./memory-store/bindings.ts";
import { createChangeFeed } from "./memory-store/changes.ts";
import { createCounterStore } from "./memory-store/counters.ts";
import {
  createReceiptRecorder,
  createReceiptStore,
} from "./memory-store/deliveries.ts";
import { createDeliveryActionStore } from "./memory-store/delivery-actions.ts";
import { createDeliveryCheckStore } from "./memory-store/delivery-checks.ts";
import { createDetectionStore } from "./memory-store/detections.ts";
import { createFailingEndpointStore } from "./memory-store/failing-endpoints.ts";
import { Holds } from "./memory-store/holds.ts";
import { createIdempotencyStore } from "./memory-store/idempotency.ts";
import { createIdentityStore } from "./memory-store/identity.ts";
import { createImportStore } from "./memory-store/imports.ts";
import { createInboundStore } from "./memory-store/inbound.ts";
import { createMailEventStore } from "./memory-store/mail-events.ts";
import { createMailboxStore } from "./memory-store/mailboxes.ts";
import { createMessageQueueStore } from "./memory-store/message-queue.ts";
import { createMessageStore } from "./memory-store/messages.ts";
import { createOptOutStore } from "./memory-store/opt-outs.ts";
import { createPublisherStore } from "./memory-store/publishers.ts";
import { createResourceTagStore } from "./memory-store/resource-tags.ts";
import { createStatisticsReader } from "./memory-store/statistics.ts";
import { createStoredMessageStore } from "./memory-store/stored-messages.ts";
import { createStoredTemplateStore } from "./memory-store/stored-templates.ts";
import { createSubscriptionUserStore } from "./memory-store/subscription-users.ts";
import { createSubscriptionStore } from "./memory-store/subscriptions.ts";
import { createTables } from "./memory-store/tables.ts";
import { createTemplateStore } from "./memory-store/templates.ts";
import { createTopicStore } from "./memory-store/topics.ts";
import { createWorkStore } from "./memory-store/work.ts";

/** What a MemoryStore is made with. */
export interface MemoryStoreOptions {
  /** Leases run on its monotonic time. Default: the machine's clock. */
  readonly clock?: Clock;
}

/**
 * Keeps, answers and refuses what the stores of the service do; whoever writes
 * one can read here what is asked of it. Rows are validated and copied on
 * their way in, and what it answers is frozen. Like the embedded store it is
 * exclusive, and refuses everything once it is closed.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor gives it all members of Store
export class MemoryStore {
  constructor({ clock = systemClock }: MemoryStoreOptions = {}) {
    const steadyClock = createSteadyClock(clock);
    const tables = createTables(steadyClock);
    const holds = new Holds(steadyClock);
    const recordReceipt = createReceiptRecorder(tables);
    const store: Store = {
      ...createTopicStore(tables),
      ...createResourceTagStore(tables),
      ...createSubscriptionStore(tables, holds),
      ...createSubscriptionUserStore(tables),
      ...createTemplateStore(tables),
      ...createStoredTemplateStore(tables),
      ...createBindingStore(tables),
      ...createStatisticsReader(tables),
      ...createMessageStore(tables, holds),
      ...createReceiptStore(tables, holds, recordReceipt),
      ...createStoredMessageStore(tables, holds),
      ...createImportStore(tables),
      ...createWorkStore(tables, holds),
      ...createMailboxStore(tables),
      ...createPublisherStore(tables),
      ...createMessageQueueStore(tables),
      ...createIdempotencyStore(tables, holds),
      ...createDeliveryActionStore(tables, holds),
      ...createInboundStore(tables, holds),
      ...createOptOutStore(tables),
      ...createMailEventStore(tables, recordReceipt),
      ...createIdentityStore(tables),
      ...createCounterStore(tables, holds),
      ...createDetectionStore(tables, holds),
      ...createDeliveryCheckStore(tables, holds),
      ...createAuditStore(tables),
      ...createChangeFeed(tables, holds),
      ...createFailingEndpointStore(tables),
      changes: (listener) => tables.notices.changes(listener),
      exclusive: true,
      close: tables.close,
      [Symbol.asyncDispose]: tables.close,
    };
    Object.assign(this, store);
  }
}

/** Its members are those of the store port. */
export interface MemoryStore extends Store {}
