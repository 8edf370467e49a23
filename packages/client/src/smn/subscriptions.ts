/** Subscriptions: who gets what is published to a topic. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  findTexts,
  isObject,
  type JsonObject,
  readObjects,
  readText,
} from "../json.ts";
import { type PagingOptions, paginate } from "../paging.ts";
import type { RequestOptions } from "../transport.ts";
import { type DeleteOptions, deleted } from "./missing.ts";
import {
  type SubscriptionReference,
  type TopicReference,
  toSubscriptionUrn,
} from "./references.ts";
import { resolveTopicUrn, topicsPath } from "./topics.ts";

/** What `Subscription.status` stands for. */
export const subscriptionStatus = {
  unconfirmed: 0,
  confirmed: 1,
  confirmationNotNeeded: 2,
  cancelled: 3,
} as const;

/** Services have more protocols than these. */
export type Protocol =
  | "email"
  | "sms"
  | "http"
  | "https"
  | "functionstage"
  | "functiongraph"
  // Keeps the names above as suggestions.
  | (string & {});

/** An endpoint that is subscribed to a topic. */
export interface Subscription {
  readonly subscriptionUrn: string;
  readonly topicUrn: string;
  readonly protocol: Protocol;
  readonly endpoint: string;
  /** Project id of the topic's creator. */
  readonly owner: string | undefined;
  /** Empty when there is none. */
  readonly remark: string;
  /** One of `subscriptionStatus`. */
  readonly status: number;
  readonly filterPolicies: readonly FilterPolicy[];
}

/** Lets through messages whose attribute `name` has one of the values. */
export interface FilterPolicy {
  readonly name: string;
  readonly stringEquals: readonly string[];
}

/** What a new subscription needs. */
export interface NewSubscription {
  readonly protocol: Protocol;
  /** URL, address or phone number, as the protocol has it. */
  readonly endpoint: string;
  readonly remark?: string | undefined;
  readonly extension?: SubscriptionExtension | undefined;
}

/** Settings of some protocols, named as SMN names them. */
export interface SubscriptionExtension {
  /** Headers to send along, for `http` and `https`. */
  readonly header?: Readonly<Record<string, string>> | undefined;
  readonly [name: string]: unknown;
}

/** A subscription that was made, or was there already. */
export interface CreatedSubscription {
  readonly subscriptionUrn: string;
  readonly topicUrn: string;
  readonly protocol: Protocol;
  readonly endpoint: string;
  readonly requestId: string | undefined;
}

/** A subscription that gets messages from now on. */
export interface ConfirmedSubscription {
  readonly subscriptionUrn: string;
  readonly requestId: string | undefined;
}

/** Filters; a service ignores those it does not know. */
export interface SubscriptionQuery extends PagingOptions {
  readonly protocol?: Protocol | undefined;
  /** One of `subscriptionStatus`. */
  readonly status?: number | undefined;
  readonly endpoint?: string | undefined;
  /** A part of the remark. */
  readonly fuzzyRemark?: string | undefined;
}

/** Creates, confirms, lists and deletes subscriptions. */
export interface SubscriptionOperations {
  /**
   * Subscribes an endpoint to a topic, given by URN, by name or as an object.
   * The endpoint is asked to confirm, again if it was asked before.
   */
  createSubscription(
    topic: TopicReference,
    subscription: NewSubscription,
    options?: RequestOptions,
  ): Promise<CreatedSubscription>;
  /**
   * Says yes in the subscriber's place, with the token of the link that it was
   * sent. Twice is fine.
   *
   * @throws ForbiddenError if the link has expired
   */
  confirmSubscription(
    token: string,
    options?: RequestOptions,
  ): Promise<ConfirmedSubscription>;
  /** Twice is fine. */
  deleteSubscription(
    subscription: SubscriptionReference,
    options?: DeleteOptions,
  ): Promise<void>;
  /**
   * Subscriptions of a topic (given by URN, by name or as an object) or of the
   * whole project, oldest first; pages are fetched as they are needed.
   */
  subscriptions(
    topic?: TopicReference | undefined,
    query?: SubscriptionQuery,
    options?: RequestOptions,
  ): AsyncGenerator<Subscription, void, undefined>;
}

const subscriptionsPath = ["notifications", "subscriptions"] as const;

/** Where SMN's own links to confirm lead. */
const confirmPath = ["rest", "v2", "notifications", "subscription", "confirm"];

export function createSubscriptionOperations(
  api: Api,
  /** Below the service's URL: subscribers know no project. */
  serviceApi: Api,
): SubscriptionOperations {
  return {
    async createSubscription(topic, subscription, options) {
      const topicUrn = await resolveTopicUrn(api, topic, options);
      const { protocol, endpoint, remark, extension } = subscription;
      const answer = await api(
        {
          method: "POST",
          path: [...topicsPath, topicUrn, "subscriptions"],
          body: { protocol, endpoint, remark, extension },
          // The same endpoint leads to the same subscription.
          isIdempotent: true,
        },
        options,
      );
      return {
        subscriptionUrn: readText(answer.body, "subscription_urn"),
        topicUrn,
        protocol,
        endpoint,
        requestId: answer.requestId,
      };
    },

    async confirmSubscription(token, options) {
      const answer = await serviceApi(
        { method: "GET", path: confirmPath, query: { token } },
        options,
      );
      return {
        subscriptionUrn: readText(answer.body, "subscription_urn"),
        requestId: answer.requestId,
      };
    },

    async deleteSubscription(subscription, options = {}) {
      const path = [...subscriptionsPath, toSubscriptionUrn(subscription)];
      await deleted(api({ method: "DELETE", path }, options), options);
    },

    async *subscriptions(topic, query, options) {
      const path =
        topic === undefined
          ? subscriptionsPath
          : [
              ...topicsPath,
              await resolveTopicUrn(api, topic, options),
              "subscriptions",
            ];
      yield* listSubscriptions(api, path, query, options);
    },
  };
}

function listSubscriptions(
  api: Api,
  path: readonly string[],
  query: SubscriptionQuery = {},
  options?: RequestOptions,
): AsyncGenerator<Subscription, void, undefined> {
  return paginate(
    async (page) => {
      const { body } = await api(
        {
          method: "GET",
          path,
          query: {
            ...page,
            protocol: query.protocol,
            status: query.status,
            endpoint: query.endpoint,
            fuzzy_remark: query.fuzzyRemark,
          },
        },
        options,
      );
      return {
        items: readObjects(body, "subscriptions").map(toSubscription),
        total: findNumber(body, "subscription_count"),
      };
    },
    (subscription) => subscription.subscriptionUrn,
    query,
  );
}

function toSubscription(body: JsonObject): Subscription {
  const subscriptionUrn = readText(body, "subscription_urn");
  return {
    subscriptionUrn,
    topicUrn:
      findText(body, "topic_urn") ??
      subscriptionUrn.slice(0, subscriptionUrn.lastIndexOf(":")),
    protocol: readText(body, "protocol"),
    endpoint: findText(body, "endpoint") ?? "",
    owner: findText(body, "owner"),
    remark: findText(body, "remark") ?? "",
    status: findNumber(body, "status") ?? subscriptionStatus.unconfirmed,
    filterPolicies: toFilterPolicies(body),
  };
}

function toFilterPolicies(body: JsonObject): FilterPolicy[] {
  // SMN spells it this way.
  const policies = body.filter_polices;
  if (!Array.isArray(policies)) return [];
  return policies.filter(isObject).map((policy) => ({
    name: readText(policy, "name"),
    stringEquals: findTexts(policy, "string_equals"),
  }));
}
