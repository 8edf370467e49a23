/** The operations of SMN as one object. */

import type { Api } from "../api.ts";
import { createMessageOperations, type MessageOperations } from "./messages.ts";
import {
  createSubscriptionOperations,
  type SubscriptionOperations,
} from "./subscriptions.ts";
import {
  createTemplateOperations,
  type TemplateOperations,
} from "./templates.ts";
import {
  createTopicAttributeOperations,
  type TopicAttributeOperations,
} from "./topic-attributes.ts";
import { createTopicOperations, type TopicOperations } from "./topics.ts";

/** All operations of SMN. */
export interface Smn
  extends TopicOperations,
    TopicAttributeOperations,
    SubscriptionOperations,
    TemplateOperations,
    MessageOperations {}

export function createSmn(
  /** Below the project's URL. */
  api: Api,
  /** Below the service's. */
  serviceApi: Api,
): Smn {
  return {
    ...createTopicOperations(api),
    ...createTopicAttributeOperations(api),
    ...createSubscriptionOperations(api, serviceApi),
    ...createTemplateOperations(api),
    ...createMessageOperations(api),
  };
}
