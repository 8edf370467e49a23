/**
 * The topic that a project's events are published to. Subscribing to it is
 * enough to have it; only the service publishes to it.
 */

import { CarillonError } from "../errors.ts";

export const eventTopicName = "carillon-events";

/** @throws CarillonError TOPIC_RESERVED */
export function checkNotEventTopic(topicName: string): void {
  if (topicName !== eventTopicName) return;
  throw new CarillonError(
    "TOPIC_RESERVED",
    `Only the service publishes to the topic ${eventTopicName}: subscribe to it, and publish to a topic of your own.`,
  );
}
