/** What SMN's routes work with. */

import type { NewId, Publisher, Subscriptions, Topics } from "@carillon/core";
import type { OriginOf } from "../origin.ts";

export interface SmnPorts {
  readonly topics: Topics;
  readonly subscriptions: Subscriptions;
  readonly publisher: Publisher;
  readonly originOf: OriginOf;
  /** Batches answer an id for each of their parts. */
  readonly newRequestId: NewId;
}
