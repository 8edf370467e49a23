/**
 * Subscription users: address books, and subscribing from them. SMN's own
 * interface to the book is not documented; this is the least there must be. The
 * path is a domain's, as SMN has it: members see their project's entries there,
 * administrators the domain's.
 */

import type { AddressBook, SubscriptionUser } from "@carillon/core";
import { RequestError } from "../../errors.ts";
import { type Reach, reachOf } from "../../identity/permissions.ts";
import { Type } from "../../json-schema.ts";
import { principalOf, projectOf, scopeOf } from "../authentication.ts";
import { requestReach } from "../authorization.ts";
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

const domainParams = Type.Object({ domain_id: Type.String() });
const userParams = Type.Object({
  ...domainParams.properties,
  user_id: Type.String(),
});

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
      config: { operation: "subscription-users.create" },
      schema: { body: createBody },
    },
    async (request, reply) => {
      const { id: projectId, domainId } = scopeOf(request);
      const { id } = await subscriptionUsers.create(
        { projectId, domainId },
        request.body,
      );
      reply.code(201);
      return { request_id: request.id, id };
    },
  );

  app.get(
    "/subscription-users",
    {
      config: { operation: "subscription-users.read" },
      schema: {
        params: domainParams,
        querystring: Type.Object(pageParameters),
      },
    },
    async (request) => {
      const page = await readPage(request.query, (marker) => marker);
      const book = bookOf(requestReach(request), request.params.domain_id);
      const listed = await listPage(page, (one) =>
        subscriptionUsers.list(book, one),
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
      config: { operation: "subscription-users.delete" },
      schema: { params: userParams },
    },
    async (request) => {
      const { domain_id, user_id } = request.params;
      const book = bookOf(requestReach(request), domain_id);
      await subscriptionUsers.remove(book, user_id);
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
      const { domainId } = scopeOf(request);
      // The route's operation is about subscriptions; the book has its own.
      const reach = reachOf(principalOf(request), "subscription-users.read");
      if (!reach) {
        throw new RequestError(
          "PERMISSION_DENIED",
          "These credentials may not read the address book (subscription-users.read).",
        );
      }
      const book = bookOf(reach, domainId);
      await topics.get(projectId, topic_urn);

      const addOne = async (id: string) => {
        const request_id = newRequestId();
        try {
          const { subscription, created } = await subscriptionUsers.subscribe(
            book,
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

/** What a reach has of a domain's address books. */
function bookOf(reach: Reach, domainId: string): AddressBook {
  return reach.kind === "project" ? reach : { kind: "domain", domainId };
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
