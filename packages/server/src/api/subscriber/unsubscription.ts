/**
 * The subscriber's no. SMN's links carry the subscription's URN, no token, and
 * act on GET: only http and https subscribers are sent them, and no mail, text
 * or page has one, for scanners follow the links in those.
 */

import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { sitePathOf } from "../origin.ts";
import { failsWith } from "../validation.ts";
import { acceptsPages, sendPage } from "./page.ts";
import type { SubscriberPorts } from "./ports.ts";

const unsubscriptionQuery = Type.Object({
  subscription_urn: Type.String({
    maxLength: 1024,
    ...failsWith("SUBSCRIPTION_URN_INVALID"),
  }),
});

type UnsubscriptionRequest = FastifyRequest<{
  Querystring: Static<typeof unsubscriptionQuery>;
}>;

export function unsubscriptionRoutes(
  app: HttpApp,
  { subscriptions, subscriptionTokens, originOf }: SubscriberPorts,
): void {
  const schema = { querystring: unsubscriptionQuery };

  async function unsubscribe(
    request: UnsubscriptionRequest,
    reply: FastifyReply,
  ) {
    const { topicName } = await subscriptions.unsubscribeUrn(
      request.query.subscription_urn,
    );
    if (acceptsPages(request)) {
      return sendPage(reply, {
        title: "Unsubscribed",
        text: `You receive no more messages of the topic ${topicName}. A last message says how to come back.`,
      });
    }
    return reply.send({ message: "unsubscribed" });
  }

  async function ask(request: UnsubscriptionRequest, reply: FastifyReply) {
    const { subscription_urn } = request.query;
    const {
      id: subscriptionId,
      generation,
      topicName,
    } = await subscriptions.findByUrn(subscription_urn);
    const token = subscriptionTokens.unsubscribeToken({
      subscriptionId,
      generation,
    });
    return await sendPage(reply, {
      title: "Unsubscribe",
      text: `Do you want no more messages of the topic ${topicName}?`,
      button: {
        label: "Unsubscribe",
        action: sitePathOf(originOf(request), `/u/${token}`),
      },
    });
  }

  // A HEAD must not act as the GET does.
  const options = { schema, exposeHeadRoute: false };
  app.get("/smn/subscription/unsubscribe", options, (request, reply) =>
    acceptsPages(request) ? ask(request, reply) : unsubscribe(request, reply),
  );
  app.head("/smn/subscription/unsubscribe", async (_request, reply) =>
    reply.send(),
  );
  app.get(
    "/rest/v2/notifications/subscription/unsubscribe",
    options,
    unsubscribe,
  );
  app.get("/v2/notifications/subscriptions/unsubscribe", options, unsubscribe);
}
