/** What to do about a message that nobody gets. */

import type { MessageReport, Smn } from "@carillon/client";
import { subscriptionStatus } from "@carillon/client";
import { isSettled } from "./delivery-table.ts";
import { topicNameOf } from "./topic-urn.ts";

/** More are not counted. */
const maxCounted = 100;

/** True when no topic had a confirmed subscription. */
export function isUnreached(report: MessageReport): boolean {
  return (
    report.cancelled === undefined &&
    isSettled(report) &&
    Object.keys(report.counts).length === 0
  );
}

/** Why nobody gets what is published to one topic or several, and what to do. */
export async function unreachedText(
  smn: Smn,
  topicUrns: readonly string[],
): Promise<string> {
  const [topicUrn = "", ...others] = topicUrns;
  const start = "The message is accepted, but nobody gets it:";
  if (others.length > 0) {
    const names = topicUrns.map(topicNameOf).join(", ");
    return `${start} none of the topics ${names} has a confirmed subscription; carillon subscription list <topic> shows who waits for confirmation.`;
  }
  const topic = topicNameOf(topicUrn);
  const status = subscriptionStatus.unconfirmed;
  let waiting = 0;
  for await (const one of smn.subscriptions(topicUrn, { status })) {
    if (one.status === status) waiting++;
    if (waiting === maxCounted) break;
  }
  const why = `${start} topic ${topic} has no confirmed subscription.`;
  if (waiting === 0) {
    return `${why} Create one with carillon subscription create ${topic} <protocol> <endpoint>.`;
  }
  const count = waiting === maxCounted ? `${waiting} or more` : waiting;
  return `${why} ${count} ${waiting === 1 ? "waits" : "wait"} for confirmation (carillon subscription list ${topic}): open the link that the endpoint was sent, or use carillon subscription confirm <link>.`;
}
