/** What to do about a message that nobody gets. */

import type { MessageReport, Smn } from "@carillon/client";
import { subscriptionStatus } from "@carillon/client";
import { isSettled } from "./delivery-table.ts";

/** More are not counted. */
const maxCounted = 100;

/** True when the topic had no confirmed subscription. */
export function isUnreached(report: MessageReport): boolean {
  return isSettled(report) && Object.keys(report.counts).length === 0;
}

/** Why nobody gets what is published to a topic, and what to do. */
export async function unreachedText(
  smn: Smn,
  topicUrn: string,
): Promise<string> {
  const topic = topicUrn.split(":").at(-1) ?? topicUrn;
  const status = subscriptionStatus.unconfirmed;
  let waiting = 0;
  for await (const one of smn.subscriptions(topicUrn, { status })) {
    if (one.status === status) waiting++;
    if (waiting === maxCounted) break;
  }
  const start = `The message is accepted, but nobody gets it: topic ${topic} has no confirmed subscription.`;
  if (waiting === 0) {
    return `${start} Create one with carillon subscription create ${topic} <protocol> <endpoint>.`;
  }
  const count = waiting === maxCounted ? `${waiting} or more` : waiting;
  return `${start} ${count} ${waiting === 1 ? "waits" : "wait"} for confirmation (carillon subscription list ${topic}): open the link that the endpoint was sent, or use carillon subscription confirm <link>.`;
}
