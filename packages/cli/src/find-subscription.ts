/** Subscriptions, and the one that the words of a command line mean. */

import {
  type Carillon,
  type JsonObject,
  ResourceNotFoundError,
  type Smn,
  type Subscription,
} from "@carillon/client";
import { isJsonObject } from "./json-object.ts";
import { chooseOne, type Naming } from "./lookup.ts";
import { topicUrnOf } from "./topic-urn.ts";

const naming: Naming<Subscription> = {
  noun: "subscription",
  idOf: ({ subscriptionUrn }) => idIn(subscriptionUrn),
};

/** SMN's API, and Carillon's for protocols that SMN does not have. */
export interface SubscriptionApis {
  readonly smn: Smn;
  readonly carillon: Carillon;
}

/**
 * The subscription given by URN, id or start of the id, or by topic and
 * endpoint.
 *
 * @throws CommandFailure when there is none, or it may be several
 */
export async function findSubscription(
  apis: SubscriptionApis,
  reference: string,
  endpoint: string | undefined,
): Promise<Subscription> {
  if (endpoint === undefined) {
    const isUrn = reference.startsWith("urn:");
    const topic = isUrn ? reference.replace(/:[^:]*$/, "") : undefined;
    const all = await listSubscriptions(apis, topic);
    return chooseOne(all, naming, isUrn ? idIn(reference) : reference);
  }
  const ofTopic = await listSubscriptions(
    apis,
    await topicUrnOf(apis.smn, reference),
  );
  const ofEndpoint = ofTopic.filter((one) => one.endpoint === endpoint);
  return chooseOne(
    ofEndpoint,
    { ...naming, nameOf: (one) => one.endpoint },
    endpoint,
    ` to topic ${reference}`,
  );
}

/** Of every protocol, oldest first; without a topic those of all, topic by topic. */
export async function listSubscriptions(
  { smn, carillon }: SubscriptionApis,
  topicUrn: string | undefined,
): Promise<readonly Subscription[]> {
  const known = new Map<string, Subscription>();
  for await (const one of smn.subscriptions(topicUrn)) {
    known.set(one.subscriptionUrn, one);
  }
  const ofTopic = async (urn: string) => {
    const listed = await Array.fromAsync(subscriptionsOf(carillon, urn));
    return listed.map(
      // SMN's has its filter policies, too.
      (fields) => known.get(String(fields.urn)) ?? toSubscription(fields),
    );
  };
  if (topicUrn !== undefined) return await ofTopic(topicUrn);
  const all: Subscription[] = [];
  for (const topic of (await Array.fromAsync(smn.topics())).toReversed()) {
    // A topic may be deleted meanwhile.
    all.push(...(await ofTopic(topic.topicUrn).catch(noneOfMissing)));
  }
  return all;
}

function noneOfMissing(error: unknown): readonly Subscription[] {
  if (error instanceof ResourceNotFoundError) return [];
  throw error;
}

/** The last part of a subscription's URN. */
export function idIn(urn: string): string {
  return urn.split(":").at(-1) ?? urn;
}

async function* subscriptionsOf(
  carillon: Carillon,
  topicUrn: string,
): AsyncGenerator<JsonObject, void, undefined> {
  const path = ["topics", topicUrn, "subscriptions"];
  let after: string | undefined;
  do {
    const query = { limit: 100, after };
    const page = await carillon.request({ method: "GET", path, query });
    const { subscriptions, next } = page;
    if (Array.isArray(subscriptions)) {
      yield* subscriptions.filter(isJsonObject);
    }
    after = typeof next === "string" ? next : undefined;
  } while (after !== undefined);
}

function toSubscription(fields: JsonObject): Subscription {
  const urn = String(fields.urn);
  const [, , , owner] = urn.split(":");
  return {
    subscriptionUrn: urn,
    topicUrn: String(fields.topicUrn),
    protocol: String(fields.protocol),
    endpoint: String(fields.endpoint),
    owner,
    remark: String(fields.remark),
    status: statusNames.indexOf(String(fields.status)),
    filterPolicies: [],
  };
}

/** As `/api/v2` calls SMN's numbers of states. */
const statusNames = [
  "unconfirmed",
  "confirmed",
  "confirmation not needed",
  "cancelled",
  "deleted",
];
