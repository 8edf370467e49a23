/**
 * Subscription users: a domain's address book, and subscribing from it. SMN's
 * own interface to the book is not documented; this is the least there must be.
 */

import type { SubscriptionUser } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { principalOf, projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toSecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { describeSmnError } from "./error-answers.ts";
import { listPage, nextPageLink, pageParameters, readPage } from "./page.ts";
import type { SmnPorts } from "./ports.ts";
import { topicParams } from "./topics.ts";

const maxBatch = 50;

const createBody = Type.Object(
  {
    name: Type.String(failsWith("SUBSCRIPTION_USER_INVALID")),
    protocol: Type.String(failsWith("PROTOCOL_INVALID")),
    endpoint: Type.String(failsWith("ENDPOINT_INVALID")),
    remark: Type.Optional(
      Type.Union([Type.String(), Type.Null()], failsWith("REMARK_INVALID")),
    ),
  },
  failsWith("SUBSCRIPTION_USER_INVALID"),
);

const addBody = Type.Object(
  {
    ids: Type.Array(Type.String(), {
      minItems: 1,
      maxItems: maxBatch,
      ...failsWith("SUBSCRIPTION_INVALID"),
    }),
  },
  failsWith("SUBSCRIPTION_INVALID"),
);

/** Routes below `/v2/{domain_id}`. */
export function subscriptionUserRoutes(
  app: HttpApp,
  {
    subscriptionUsers,
    originOf,
  }: Pick<SmnPorts, "subscriptionUsers" | "originOf">,
): void {
  app.post(
    "/subscription-users",
    {
      config: { operation: "subscription-users.write" },
      schema: { body: createBody },
    },
    async (request, reply) => {
      const { domainId } = principalOf(request);
      const { id } = await subscriptionUsers.create(domainId, request.body);
      reply.code(201);
      return { request_id: request.id, id };
    },
  );

  app.get(
    "/subscription-users",
    {
      config: { operation: "subscription-users.read" },
      schema: { querystring: Type.Object(pageParameters) },
    },
    async (request) => {
      const page = await readPage(request.query, (marker) => marker);
      const { domainId } = principalOf(request);
      const listed = await listPage(page, (one) =>
        subscriptionUsers.list(domainId, one),
      );
      return {
        request_id: request.id,
        subscription_user_count: listed.total,
        subscription_users: listed.items.map(toBody),
        ...nextPageLink(
          request,
          originOf,
          "subscription_users",
          listed,
          ({ id }) => id,
        ),
      };
    },
  );

  app.delete(
    "/subscription-users/:user_id",
    {
      config: { operation: "subscription-users.write" },
      schema: { params: Type.Object({ user_id: Type.String() }) },
    },
    async (request) => {
      const { domainId } = principalOf(request);
      await subscriptionUsers.remove(domainId, request.params.user_id);
      return { request_id: request.id };
    },
  );
}

/** The route below a project's topics. */
export function subscribeUsersRoutes(
  app: HttpApp,
  {
    subscriptionUsers,
    subscriptions,
    topics,
    newRequestId,
  }: Pick<
    SmnPorts,
    "subscriptionUsers" | "subscriptions" | "topics" | "newRequestId"
  >,
): void {
  app.post(
    "/topics/:topic_urn/subscriptions/from-subscription-users",
    {
      config: { operation: "subscriptions.write" },
      schema: { params: topicParams, body: addBody },
    },
    async (request) => {
      const { topic_urn } = request.params;
      const projectId = projectOf(request);
      const { domainId } = principalOf(request);
      await topics.get(projectId, topic_urn);

      const addOne = async (id: string) => {
        const request_id = newRequestId();
        try {
          const { subscription, created } = await subscriptionUsers.subscribe(
            domainId,
            id,
            projectId,
            topic_urn,
          );
          return {
            http_code: created ? 201 : 200,
            request_id,
            subscription_urn: subscriptions.urnOf(subscription),
          };
        } catch (error) {
          const known = describeSmnError(error);
          if (!known) throw error;
          return {
            http_code: known.status,
            request_id,
            error_code: known.code,
            error_msg: known.message,
          };
        }
      };
      return {
        subscriptions_result: await Promise.all(request.body.ids.map(addOne)),
      };
    },
  );
}

function toBody(user: SubscriptionUser) {
  const { id, name, protocol, endpoint, remark, createdAt } = user;
  return {
    id,
    name,
    protocol,
    endpoint,
    remark,
    create_time: toSecondsText(createdAt),
  };
}
