/** What can be bound to a topic, one of each kind. */

import type { EpochMs } from "../time.ts";
import type { NotifyPolicy } from "./notify-policy.ts";

/** What each kind of binding holds, by kind. */
export interface BindingData {
  /** Its deliveries are logged; the two ids are the client's own. */
  readonly logtank: {
    readonly logGroupId: string;
    readonly logStreamId: string;
  };
  /** Its messages are sealed at rest with this key. */
  readonly kms: { readonly keyId: string };
  /** Some of its subscriptions are tried in rounds. */
  readonly notifyPolicy: NotifyPolicy;
}

/** What can be bound to a topic; a topic has at most one of each. */
export type BindingKind = keyof BindingData;

/** Something that is bound to a topic. */
export interface TopicBinding<Kind extends BindingKind = BindingKind> {
  readonly id: string;
  readonly topicId: string;
  readonly data: BindingData[Kind];
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
}
