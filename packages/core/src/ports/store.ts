/** All that is kept; the sum of the narrower ports, which users depend on. */

import type { AuditStore } from "./audit-store.ts";
import type { BindingStore } from "./binding-store.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { CounterStore } from "./counter-store.ts";
import type { DeliveryActionStore } from "./delivery-action-store.ts";
import type { DeliveryCheckStore } from "./delivery-check-store.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import type { DetectionStore } from "./detection-store.ts";
import type { FailingEndpointStore } from "./failing-endpoint-store.ts";
import type { IdempotencyStore } from "./idempotency-store.ts";
import type { IdentityStore } from "./identity-store.ts";
import type { InboundStore } from "./inbound-store.ts";
import type { MailEventStore } from "./mail-event-store.ts";
import type { MailboxStore } from "./mailbox-store.ts";
import type { MessageImportStore } from "./message-import-store.ts";
import type { MessageQueueStore } from "./message-queue-store.ts";
import type { MessageReader } from "./message-store.ts";
import type { OptOutRecordStore } from "./opt-out-record-store.ts";
import type { PublisherStore } from "./publisher-store.ts";
import type { ResourceTagStore } from "./resource-tag-store.ts";
import type { StatisticsReader } from "./statistics-store.ts";
import type { StoreChanges } from "./store-changes.ts";
import type { StoredMessageStore } from "./stored-message-store.ts";
import type { StoredTemplateStore } from "./stored-template-store.ts";
import type { SubscriptionStore } from "./subscription-store.ts";
import type { SubscriptionUserStore } from "./subscription-user-store.ts";
import type { TemplateStore } from "./template-store.ts";
import type { TopicStore } from "./topic-store.ts";
import type { ReclaimedWork, WorkStore } from "./work-store.ts";

/**
 * All that a store does; an adapter implements it, users depend on its parts.
 */
export interface Store
  extends TopicStore,
    ResourceTagStore,
    SubscriptionStore,
    SubscriptionUserStore,
    TemplateStore,
    StoredTemplateStore,
    BindingStore,
    StatisticsReader,
    MessageReader,
    DeliveryStore,
    DeliveryCheckStore,
    WorkStore,
    MessageQueueStore,
    MailboxStore,
    PublisherStore,
    IdempotencyStore,
    DeliveryActionStore,
    StoredMessageStore,
    MessageImportStore,
    InboundStore,
    OptOutRecordStore,
    MailEventStore,
    IdentityStore,
    CounterStore,
    DetectionStore,
    AuditStore,
    ChangeFeed,
    FailingEndpointStore,
    StoreChanges,
    AsyncDisposable {
  /**
   * True when no other process can use the store while it is open: leases
   * found at start belong to the dead and may be taken over at once.
   */
  readonly exclusive: boolean;
  /**
   * What {@link WorkStore.reclaim} does, for all leases, ended or not; only on
   * an exclusive store, before engines start.
   */
  reclaimAll(): Promise<ReclaimedWork>;
  /** Writes what was accepted, then frees files and threads; idempotent. */
  close(): Promise<void>;
}
