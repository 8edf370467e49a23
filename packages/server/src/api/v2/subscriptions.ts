/** Subscriptions of every protocol that a channel brings. */

import {
  CarillonError,
  type Protocols,
  parseSubscriptionUrn,
  type Subscription,
  subscriptionStatus,
  type Topics,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { listBodyBytes } from "../json-body.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import {
  instant,
  limitParameter,
  readLimit,
  topicParams,
} from "./schema-parts.ts";
import {
  Signature,
  SignatureBody,
  type SignaturePorts,
  toSignatureBody,
} from "./signatures.ts";

export interface SubscriptionPorts extends SignaturePorts {
  readonly topics: Topics;
  readonly protocols: Protocols;
}

const statusNames = {
  [subscriptionStatus.unconfirmed]: "unconfirmed",
  [subscriptionStatus.confirmed]: "confirmed",
  [subscriptionStatus.confirmationNotNeeded]: "confirmation not needed",
  [subscriptionStatus.cancelled]: "cancelled",
  [subscriptionStatus.deleted]: "deleted",
} as const;

const SubscriptionBody = Type.Object(
  {
    urn: Type.String({ description: "Of the subscription" }),
    topicUrn: Type.String({ description: "The topic it is to" }),
    protocol: Type.String({ description: "How the endpoint is reached" }),
    endpoint: Type.String({
      description: "With `***` in place of what is secret in it",
    }),
    status: Type.Enum(Object.values(statusNames), {
      description:
        "Only who is confirmed, or needs no confirmation, gets messages",
    }),
    remark: Type.String({ description: "As it was given, else empty" }),
    createdAt: instant("When it was made"),
    signature: Type.Optional(Signature),
  },
  { title: "Subscription" },
);

const Subscribed = Type.Object(
  {
    ...SubscriptionBody.properties,
    created: Type.Boolean({
      description:
        "False: the endpoint was subscribed already, with the signature it has",
    }),
  },
  { title: "Subscribed" },
);

const SubscriptionList = Type.Object(
  {
    subscriptions: Type.Array(SubscriptionBody, {
      description: "Oldest first",
    }),
    next: Type.Optional(
      Type.String({ description: "`after` of the next page, if there is one" }),
    ),
  },
  { title: "SubscriptionList" },
);

const subscriptionParams = Type.Object({
  subscriptionUrn: Type.String({
    ...failsWith("SUBSCRIPTION_URN_INVALID"),
    description: "Of a subscription of the caller's project",
  }),
});

const listQuery = Type.Object({
  limit: limitParameter,
  after: Type.Optional(
    Type.String({
      description: "URN of a subscription: the page starts behind it",
    }),
  ),
});

export function subscriptionRoutes(
  app: HttpApp,
  { topics, subscriptions, protocols, ...ports }: SubscriptionPorts,
): void {
  const path = "/topics/:topicUrn/subscriptions";
  const NewSubscription = Type.Object(
    {
      protocol: Type.Enum(
        protocols.all.map(({ name }) => name),
        {
          description: "How the endpoint is reached",
          ...failsWith("PROTOCOL_INVALID"),
        },
      ),
      endpoint: Type.String({
        description: protocols.all
          .map(({ name, endpointForm }) => `${name}: ${endpointForm}`)
          .join("; "),
        ...failsWith("ENDPOINT_INVALID"),
      }),
      remark: Type.Optional(
        Type.String({
          description: "For people to know it by, of 128 bytes at most",
          ...failsWith("REMARK_INVALID"),
        }),
      ),
      extension: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), {
          description: "Settings that only some protocols have",
          ...failsWith("SUBSCRIPTION_INVALID"),
        }),
      ),
      signature: Type.Optional(SignatureBody),
    },
    { title: "NewSubscription", ...failsWith("SUBSCRIPTION_INVALID") },
  );

  function toBody(subscription: Subscription): Static<typeof SubscriptionBody> {
    const { projectId, topicName, protocol, endpoint } = subscription;
    return {
      urn: subscriptions.urnOf(subscription),
      topicUrn: topics.urnOf({ projectId, name: topicName }),
      protocol,
      endpoint: protocols.maskSecrets(protocol, endpoint),
      status: statusNames[subscription.status],
      remark: subscription.remark,
      createdAt: toMillisecondsText(subscription.createdAt),
      ...(protocols.find(protocol)?.isUrl && {
        signature: toSignatureBody(ports, subscription, false),
      }),
    };
  }

  app.post(
    path,
    {
      config: { operation: "subscriptions.write" },
      bodyLimit: listBodyBytes,
      schema: {
        summary: "Subscribes an endpoint to a topic",
        description:
          "The same endpoint twice answers the subscription that is there.",
        tags: ["Subscriptions"],
        params: topicParams,
        body: NewSubscription,
        response: { 200: Subscribed, 201: Subscribed, ...refusals },
      },
    },
    async (request, reply) => {
      const { subscription, created } = await subscriptions.subscribe(
        projectOf(request),
        request.params.topicUrn,
        request.body,
      );
      reply.code(created ? 201 : 200);
      return { ...toBody(subscription), created };
    },
  );

  app.get(
    path,
    {
      config: { operation: "subscriptions.read" },
      schema: {
        summary: "Lists the subscriptions of a topic",
        tags: ["Subscriptions"],
        params: topicParams,
        querystring: listQuery,
        response: { 200: SubscriptionList, ...refusals },
      },
    },
    async (request) => {
      const projectId = projectOf(request);
      const { after } = request.query;
      const limit = readLimit(request.query.limit);
      const topic = await topics.get(projectId, request.params.topicUrn);
      const { items } = await subscriptions.list(
        projectId,
        { topicSeq: topic.seq },
        {
          offset: 0,
          limit: limit + 1,
          ...(after !== undefined && { marker: idOf(after) }),
        },
      );
      const page = items.slice(0, limit).map(toBody);
      const last = page.at(-1);
      return {
        subscriptions: page,
        ...(last && items.length > limit && { next: last.urn }),
      };
    },
  );

  app.get(
    "/subscriptions/:subscriptionUrn",
    {
      config: { operation: "subscriptions.read" },
      schema: {
        summary: "Shows a subscription",
        tags: ["Subscriptions"],
        params: subscriptionParams,
        response: { 200: SubscriptionBody, ...refusals },
      },
    },
    async (request) =>
      toBody(
        await subscriptions.get(
          projectOf(request),
          request.params.subscriptionUrn,
        ),
      ),
  );

  app.delete(
    "/subscriptions/:subscriptionUrn",
    {
      config: { operation: "subscriptions.write" },
      schema: {
        summary: "Deletes a subscription",
        description:
          "Nothing more is delivered by it. What is in a mailbox already stays there.",
        tags: ["Subscriptions"],
        params: subscriptionParams,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      const { subscriptionUrn } = request.params;
      await subscriptions.remove(projectOf(request), subscriptionUrn);
      return reply.code(204).send(null);
    },
  );
}

/** @throws CarillonError PAGE_INVALID */
function idOf(urn: string): string {
  const id = parseSubscriptionUrn(urn)?.subscriptionId;
  if (id !== undefined) return id;
  throw new CarillonError(
    "PAGE_INVALID",
    "Invalid after: the URN of a subscription is expected.",
  );
}
