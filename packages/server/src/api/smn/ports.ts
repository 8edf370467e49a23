/** What SMN's routes work with. */

import type {
  Clock,
  Detections,
  NewId,
  Protocols,
  Publisher,
  ResourceTags,
  StatisticsReader,
  Subscriptions,
  SubscriptionUsers,
  Templates,
  TopicAccess,
  TopicBindings,
  Topics,
} from "@carillon/core";
import type { Keys } from "../../keys/keys.ts";
import type { OriginOf } from "../origin.ts";

export interface SmnPorts {
  readonly protocols: Protocols;
  readonly topics: Topics;
  readonly access: TopicAccess;
  readonly templates: Templates;
  readonly resourceTags: ResourceTags;
  readonly subscriptions: Subscriptions;
  readonly publisher: Publisher;
  readonly subscriptionUsers: SubscriptionUsers;
  readonly bindings: TopicBindings;
  readonly keys: Keys;
  readonly detections: Detections;
  readonly statistics: StatisticsReader;
  readonly clock: Clock;
  readonly originOf: OriginOf;
  /** Of the program. */
  readonly version: string;
  /** Batches answer an id for each of their parts. */
  readonly newRequestId: NewId;
}
