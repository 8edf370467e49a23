/** Subscriptions: add (one or many), list, remove (one or many). */

import {
  CarillonError,
  fitsUtf8,
  type NewId,
  type ProjectId,
  parseSubscriptionUrn,
  type SubscribeRequest,
  type Subscription,
  type SubscriptionFilter,
  type Subscriptions,
} from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { listBodyBytes, messageBodyBytes } from "../json-body.ts";
import { projectFor, projectForSubscription } from "../topic-access.ts";
import { failsWith } from "../validation.ts";
import { toFilterPolicyBodies } from "./bodies/filter-policy.ts";
import { readExtension } from "./bodies/subscription-extension.ts";
import { describeSmnError } from "./error-answers.ts";
import { listPage, nextPageLink, pageParameters, readPage } from "./page.ts";
import type { SmnPorts } from "./ports.ts";
import { toFilter } from "./query-filter.ts";
import { topicParams } from "./topics.ts";

const maxBatch = 50;

const addBody = Type.Object(
  {
    protocol: Type.Optional(Type.String(failsWith("PROTOCOL_INVALID"))),
    endpoint: Type.Optional(Type.String(failsWith("ENDPOINT_INVALID"))),
    remark: Type.Optional(
      Type.Union([Type.String(), Type.Null()], failsWith("REMARK_INVALID")),
    ),
    extension: Type.Optional(Type.Unknown(failsWith("SUBSCRIPTION_INVALID"))),
    // Each is checked by itself: one bad part does not spoil the others.
    subscriptions: Type.Optional(
      Type.Union(
        [
          Type.Array(Type.Unknown(), { minItems: 1, maxItems: maxBatch }),
          Type.Null(),
        ],
        failsWith("SUBSCRIPTION_INVALID"),
      ),
    ),
  },
  failsWith("SUBSCRIPTION_INVALID"),
);

const removeBody = Type.Object(
  {
    subscription_urns: Type.Array(
      Type.Object({ subscription_urn: Type.String() }),
      { minItems: 1, maxItems: 100, ...failsWith("SUBSCRIPTION_INVALID") },
    ),
  },
  failsWith("SUBSCRIPTION_INVALID"),
);

const updateBody = Type.Object(
  {
    // Absent clears it, as an empty one does.
    remark: Type.Optional(
      Type.Union([Type.String(), Type.Null()], failsWith("REMARK_INVALID")),
    ),
  },
  failsWith("REMARK_INVALID"),
);

const listQuery = Type.Object({
  ...pageParameters,
  protocol: Type.Optional(Type.String(failsWith("PROTOCOL_INVALID"))),
  status: Type.Optional(Type.String(failsWith("STATUS_FILTER_INVALID"))),
  endpoint: Type.Optional(Type.String(failsWith("ENDPOINT_INVALID"))),
  fuzzy_remark: Type.Optional(Type.String(failsWith("REMARK_INVALID"))),
});

const subscriptionParams = Type.Object({ subscription_urn: Type.String() });

const subscriptionOfTopicParams = Type.Object({
  ...topicParams.properties,
  ...subscriptionParams.properties,
});

const malformed = {
  BODY_MALFORMED: "SUBSCRIPTION_INVALID",
  BODY_TOO_LARGE: "SUBSCRIPTION_INVALID",
} as const;

export function subscriptionRoutes(app: HttpApp, ports: SmnPorts): void {
  const { topics, subscriptions, originOf, newRequestId, protocols } = ports;
  /** Subscriptions of other protocols are not of this API. */
  const shown =
    protocols.ofSmn === protocols
      ? {}
      : { protocols: protocols.ofSmn.all.map(({ name }) => name) };

  async function list(
    request: FastifyRequest,
    query: Static<typeof listQuery>,
    projectId: ProjectId,
    scope: Pick<SubscriptionFilter, "topicSeq">,
  ) {
    const page = await readPage(
      query,
      (marker) => parseSubscriptionUrn(marker)?.subscriptionId,
    );
    const filter = { ...shown, ...scope, ...toSubscriptionFilter(query) };
    const listed = await listPage(page, (one) =>
      subscriptions.list(projectId, filter, one),
    );
    return {
      request_id: request.id,
      subscription_count: listed.total,
      subscriptions: listed.items.map((subscription) => ({
        topic_urn: topics.urnOf({
          projectId: subscription.projectId,
          name: subscription.topicName,
        }),
        ...toSubscriptionBody(subscription, subscriptions),
      })),
      ...nextPageLink(
        request,
        originOf,
        "subscriptions",
        listed,
        subscriptions.urnOf,
      ),
    };
  }

  async function remove(request: FastifyRequest, urn: string): Promise<void> {
    const projectId = await projectForSubscription(
      request,
      ports,
      urn,
      "SMN:Unsubscribe",
    );
    await subscriptions.remove(projectId, urn);
  }

  app.post(
    "/topics/:topic_urn/subscriptions",
    {
      config: { operation: "subscriptions.write", errorCodes: malformed },
      schema: { params: topicParams, body: addBody },
      bodyLimit: messageBodyBytes,
    },
    async (request, reply) => {
      const { topic_urn } = request.params;
      const action = "SMN:Subscribe";
      const projectId = await projectFor(request, ports, topic_urn, action);
      const { subscriptions: batch } = request.body;
      if (batch) {
        // What is wrong with the topic is wrong with the whole request.
        await topics.get(projectId, topic_urn);
        reply.code(201);
        return {
          request_id: request.id,
          subscriptions_result: await Promise.all(
            batch.map((item) =>
              addOne(subscriptions, projectId, topic_urn, item, newRequestId),
            ),
          ),
        };
      }
      const { subscription, created } = await subscriptions.subscribe(
        projectId,
        topic_urn,
        toSubscribeRequest(request.body),
      );
      reply.code(created ? 201 : 200);
      return {
        request_id: request.id,
        subscription_urn: subscriptions.urnOf(subscription),
      };
    },
  );

  app.get(
    "/subscriptions",
    {
      config: { operation: "subscriptions.read" },
      schema: { querystring: listQuery },
    },
    async (request) =>
      await list(request, request.query, projectOf(request), {}),
  );

  app.get(
    "/topics/:topic_urn/subscriptions",
    {
      config: { operation: "subscriptions.read" },
      schema: { params: topicParams, querystring: listQuery },
    },
    async (request) => {
      const { topic_urn } = request.params;
      const action = "SMN:ListSubscriptionsByTopic";
      const projectId = await projectFor(request, ports, topic_urn, action);
      const { seq: topicSeq } = await topics.get(projectId, topic_urn);
      return await list(request, request.query, projectId, { topicSeq });
    },
  );

  app.delete(
    "/subscriptions/:subscription_urn",
    {
      config: { operation: "subscriptions.write" },
      schema: { params: subscriptionParams },
    },
    async (request) => {
      await remove(request, request.params.subscription_urn);
      return { request_id: request.id };
    },
  );

  app.put(
    "/topics/:topic_urn/subscriptions/:subscription_urn",
    {
      config: { operation: "subscriptions.write" },
      schema: { params: subscriptionOfTopicParams, body: updateBody },
    },
    async (request) => {
      const { topic_urn, subscription_urn } = request.params;
      const projectId = projectOf(request);
      await topics.get(projectId, topic_urn);
      checkIsOfTopic(subscription_urn, topic_urn);
      await subscriptions.setRemark(
        projectId,
        subscription_urn,
        request.body.remark,
      );
      return { request_id: request.id, subscription_urn };
    },
  );

  app.delete(
    "/topics/:topic_urn/subscriptions/:subscription_urn",
    {
      config: { operation: "subscriptions.write" },
      schema: { params: subscriptionOfTopicParams },
    },
    async (request) => {
      const { topic_urn, subscription_urn } = request.params;
      const action = "SMN:Unsubscribe";
      const projectId = await projectFor(request, ports, topic_urn, action);
      await topics.get(projectId, topic_urn);
      checkIsOfTopic(subscription_urn, topic_urn);
      await subscriptions.remove(projectId, subscription_urn);
      return { request_id: request.id };
    },
  );

  app.delete(
    "/subscriptions",
    {
      config: { operation: "subscriptions.write", errorCodes: malformed },
      schema: { body: removeBody },
      bodyLimit: listBodyBytes,
    },
    async (request) => ({
      subscriptions_result: await removeAll(
        (urn) => remove(request, urn),
        request.body,
        newRequestId,
      ),
    }),
  );

  app.delete(
    "/topics/:topic_urn/subscriptions",
    {
      config: { operation: "subscriptions.write", errorCodes: malformed },
      schema: { params: topicParams, body: removeBody },
      bodyLimit: listBodyBytes,
    },
    async (request) => {
      const { topic_urn } = request.params;
      const action = "SMN:Unsubscribe";
      const projectId = await projectFor(request, ports, topic_urn, action);
      await topics.get(projectId, topic_urn);
      return {
        subscriptions_result: await removeAll(
          async (urn) => {
            checkIsOfTopic(urn, topic_urn);
            await subscriptions.remove(projectId, urn);
          },
          request.body,
          newRequestId,
        ),
      };
    },
  );
}

function toSubscribeRequest(item: {
  readonly [name: string]: unknown;
}): SubscribeRequest {
  const { protocol, endpoint, remark, extension } = item;
  return {
    protocol,
    endpoint,
    remark,
    extension: readExtension(extension),
    overSmn: true,
  };
}

/** One part of a batch: what goes wrong is in its result. */
async function addOne(
  subscriptions: Subscriptions,
  projectId: ProjectId,
  topicUrn: string,
  item: unknown,
  newRequestId: NewId,
) {
  const part = isObject(item) ? toSubscribeRequest(item) : undefined;
  const endpoint = typeof part?.endpoint === "string" ? part.endpoint : "";
  const request_id = newRequestId();
  try {
    if (!part) {
      throw new CarillonError(
        "SUBSCRIPTION_INVALID",
        "Invalid subscription: an object is expected.",
      );
    }
    const { subscription, created } = await subscriptions.subscribe(
      projectId,
      topicUrn,
      part,
    );
    return {
      request_id,
      http_code: created ? 201 : 200,
      subscription_urn: subscriptions.urnOf(subscription),
      endpoint,
    };
  } catch (error) {
    return { request_id, ...toPartFailure(error), endpoint };
  }
}

async function removeAll(
  remove: (urn: string) => Promise<void>,
  body: Static<typeof removeBody>,
  newRequestId: NewId,
) {
  return await Promise.all(
    body.subscription_urns.map(async ({ subscription_urn: urn }) => {
      const request_id = newRequestId();
      try {
        await remove(urn);
        return { request_id, http_code: 200 };
      } catch (error) {
        return { request_id, ...toPartFailure(error) };
      }
    }),
  );
}

function toPartFailure(error: unknown) {
  const known = describeSmnError(error);
  if (!known) throw error;
  return { http_code: known.status, code: known.code, message: known.message };
}

/** @throws CarillonError SUBSCRIPTION_NOT_FOUND; a malformed URN passes */
function checkIsOfTopic(subscriptionUrn: string, topicUrn: string): void {
  const isUrn = parseSubscriptionUrn(subscriptionUrn) !== undefined;
  if (!isUrn || subscriptionUrn.startsWith(`${topicUrn}:`)) return;
  throw new CarillonError(
    "SUBSCRIPTION_NOT_FOUND",
    "Subscription not found in this topic.",
  );
}

function toSubscriptionFilter(
  query: Static<typeof listQuery>,
): SubscriptionFilter {
  const { status, fuzzy_remark: fuzzyRemark } = query;
  if (status && !/^[0-4]$/.test(status)) {
    throw new RequestError("STATUS_FILTER_INVALID");
  }
  if (fuzzyRemark && !fitsUtf8(fuzzyRemark, 128)) {
    throw new CarillonError("REMARK_INVALID");
  }
  return toFilter({
    protocol: query.protocol,
    status: status ? Number(status) : undefined,
    endpoint: query.endpoint,
    fuzzyRemark,
  });
}

function toSubscriptionBody(
  subscription: Subscription,
  subscriptions: Subscriptions,
) {
  return {
    protocol: subscription.protocol,
    subscription_urn: subscriptions.urnOf(subscription),
    owner: subscription.projectId,
    endpoint: subscription.endpoint,
    remark: subscription.remark,
    status: subscription.status,
    filter_polices: toFilterPolicyBodies(subscription),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
