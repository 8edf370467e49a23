/** The subscription that the words of a command line mean. */

import type { Smn, Subscription } from "@carillon/client";
import { chooseOne, type Naming } from "./lookup.ts";
import { topicUrnOf } from "./topic-urn.ts";

const naming: Naming<Subscription> = {
  noun: "subscription",
  idOf: ({ subscriptionUrn }) => idIn(subscriptionUrn),
};

/**
 * The subscription given by URN, id or start of the id, or by topic and
 * endpoint.
 *
 * @throws CommandFailure when there is none, or it may be several
 */
export async function findSubscription(
  smn: Smn,
  reference: string,
  endpoint: string | undefined,
): Promise<Subscription> {
  if (endpoint === undefined) {
    const isUrn = reference.startsWith("urn:");
    const topic = isUrn ? reference.replace(/:[^:]*$/, "") : undefined;
    const all = await Array.fromAsync(smn.subscriptions(topic));
    return chooseOne(all, naming, isUrn ? idIn(reference) : reference);
  }
  const ofTopic = await Array.fromAsync(
    smn.subscriptions(await topicUrnOf(smn, reference)),
  );
  const ofEndpoint = ofTopic.filter((one) => one.endpoint === endpoint);
  return chooseOne(
    ofEndpoint,
    { ...naming, nameOf: (one) => one.endpoint },
    endpoint,
    ` to topic ${reference}`,
  );
}

/** The last part of a subscription's URN. */
export function idIn(urn: string): string {
  return urn.split(":").at(-1) ?? urn;
}
