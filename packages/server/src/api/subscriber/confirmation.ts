/** The subscriber's yes: the token in the link is all the authority needed. */

import { parseTopicUrn } from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { sitePathOf } from "../origin.ts";
import { failsWith } from "../validation.ts";
import { acceptsPages, sendPage } from "./page.ts";
import type { SubscriberPorts } from "./ports.ts";

const confirmationQuery = Type.Object({
  token: Type.String({
    minLength: 1,
    maxLength: 512,
    ...failsWith("REQUEST_INVALID"),
  }),
  topic_urn: Type.Optional(Type.String()),
  /** With a code in place of a token: what it was sent to. */
  endpoint: Type.Optional(Type.String({ maxLength: 2048 })),
});

type ConfirmationRequest = FastifyRequest<{
  Querystring: Static<typeof confirmationQuery>;
}>;

export function confirmationRoutes(
  app: HttpApp,
  { subscriptions, originOf, protocols }: SubscriberPorts,
): void {
  const schema = { querystring: confirmationQuery };

  async function confirm(request: ConfirmationRequest, reply: FastifyReply) {
    const { token, topic_urn: topicUrn, endpoint } = request.query;
    const subscription = await subscriptions.confirm(
      token,
      topicUrn !== undefined && endpoint !== undefined
        ? { topicUrn, endpoint, sender: request.ip }
        : undefined,
    );
    if (acceptsPages(request)) {
      return sendPage(reply, {
        title: "Subscription confirmed",
        text: `${protocols.maskSecrets(subscription.protocol, subscription.endpoint)} now receives messages of the topic ${subscription.topicName}.`,
      });
    }
    return reply.send({
      request_id: request.id,
      subscription_urn: subscriptions.urnOf(subscription),
    });
  }

  async function ask(request: ConfirmationRequest, reply: FastifyReply) {
    const { token, topic_urn = "", endpoint } = request.query;
    const topic = parseTopicUrn(topic_urn);
    const query = new URLSearchParams({
      token,
      // A code is good only with both.
      ...(topic_urn !== "" && { topic_urn }),
      ...(endpoint !== undefined && { endpoint }),
    });
    return await sendPage(reply, {
      title: "Confirm subscription",
      text: topic
        ? `Do you want to receive messages of the topic ${topic.topicName}?`
        : "Do you want to receive messages of this topic?",
      button: {
        label: "Confirm subscription",
        action: sitePathOf(
          originOf(request),
          `/smn/subscription/confirm?${query}`,
        ),
      },
    });
  }

  // A HEAD must not act as the GET does.
  const options = { schema, exposeHeadRoute: false };
  app.get("/smn/subscription/confirm", options, (request, reply) =>
    acceptsPages(request) ? ask(request, reply) : confirm(request, reply),
  );
  app.head("/smn/subscription/confirm", async (_request, reply) =>
    reply.send(),
  );
  app.post("/smn/subscription/confirm", { schema }, confirm);
  app.get("/rest/v2/notifications/subscription/confirm", options, confirm);
  app.get("/v2/notifications/subscriptions/subscribe", options, confirm);
}
