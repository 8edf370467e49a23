/** SMN's resource names: `urn:smn:{region}:{project}:{topic}[:{subscription}]`. */

import type { ProjectId, SubscriptionId } from "./ids.ts";

export interface TopicUrn {
  readonly region: string;
  readonly projectId: ProjectId;
  readonly topicName: string;
}

export interface SubscriptionUrn extends TopicUrn {
  readonly subscriptionId: SubscriptionId;
}

const topicUrn =
  /^urn:smn:([A-Za-z0-9_-]{1,64}):([0-9a-f]{32}):([A-Za-z0-9][A-Za-z0-9_-]{0,254})$/;

export function formatTopicUrn(urn: TopicUrn): string {
  return `urn:smn:${urn.region}:${urn.projectId}:${urn.topicName}`;
}

/** The URN of a subscription: its topic's URN and its id. */
export function formatSubscriptionUrn(
  topic: string,
  subscription: SubscriptionId,
): string {
  return `${topic}:${subscription}`;
}

/** `undefined` when the text is no topic URN. */
export function parseTopicUrn(text: string): TopicUrn | undefined {
  const match = topicUrn.exec(text);
  if (!match) return undefined;
  const [, region = "", projectId = "", topicName = ""] = match;
  // The pattern is what the brands promise, here and below.
  return { region, projectId: projectId as ProjectId, topicName };
}

/** `undefined` when the text is no subscription URN. */
export function parseSubscriptionUrn(
  text: string,
): SubscriptionUrn | undefined {
  const cut = text.lastIndexOf(":");
  const topic = cut < 0 ? undefined : parseTopicUrn(text.slice(0, cut));
  const subscriptionId = text.slice(cut + 1);
  if (!topic || !/^[0-9a-f]{32}$/.test(subscriptionId)) return undefined;
  return { ...topic, subscriptionId: subscriptionId as SubscriptionId };
}
