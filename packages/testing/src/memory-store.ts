/**
 * A store that keeps everything in memory: for tests, and the plainest reading
 * of what the ports promise. Not for service: nothing outlives the process.
 */

import { type Clock, type Store, systemClock } from "@carillon/core";
import { createAuditStore } from "./memory-store/audit.ts";
import { createBindingStore } from "./memory-store/bindings.ts";
import { createDeliveryStore } from "./memory-store/deliveries.ts";
import { createDeliveryActionStore } from "./memory-store/delivery-actions.ts";
import { Holds } from "./memory-store/holds.ts";
import { createIdentityStore } from "./memory-store/identity.ts";
import { createInboundStore } from "./memory-store/inbound.ts";
import { createLeaseStore } from "./memory-store/leases.ts";
import { createMessageStore } from "./memory-store/messages.ts";
import { createOptOutStore } from "./memory-store/opt-outs.ts";
import { createRangeStore } from "./memory-store/ranges.ts";
import { createResourceTagStore } from "./memory-store/resource-tags.ts";
import { createStatisticsReader } from "./memory-store/statistics.ts";
import { createSubscriptionUserStore } from "./memory-store/subscription-users.ts";
import { createSubscriptionStore } from "./memory-store/subscriptions.ts";
import { createTables } from "./memory-store/tables.ts";
import { createTemplateStore } from "./memory-store/templates.ts";
import { createTopicStore } from "./memory-store/topics.ts";

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
    const tables = createTables();
    const holds = new Holds(clock);
    const store: Store = {
      ...createTopicStore(tables),
      ...createResourceTagStore(tables),
      ...createSubscriptionStore(tables),
      ...createSubscriptionUserStore(tables),
      ...createTemplateStore(tables),
      ...createBindingStore(tables),
      ...createStatisticsReader(tables),
      ...createMessageStore(tables, holds),
      ...createRangeStore(tables, holds),
      ...createDeliveryStore(tables, holds),
      ...createLeaseStore(tables, holds),
      ...createDeliveryActionStore(tables, holds),
      ...createInboundStore(tables),
      ...createOptOutStore(tables),
      ...createIdentityStore(tables),
      ...createAuditStore(tables),
      exclusive: true,
      close: tables.close,
      [Symbol.asyncDispose]: tables.close,
    };
    Object.assign(this, store);
  }
}

/** Its members are those of the store port. */
export interface MemoryStore extends Store {}
