/**
 * The rival of subscribing: a bare Fastify with Carillon's routes that POSTs
 * one confirmation message to each new endpoint, unsigned, and keeps what is
 * confirmed in memory alone.
 */

import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { topicsPath } from "../carillon.ts";
import { serveQuestions } from "../program.ts";
import { newId } from "./notification.ts";
import { Lane, post } from "./poster.ts";

const app = fastify();
const lane = new Lane();
/** Subscription URNs by token. */
const unconfirmed = new Map<string, string>();
let origin = "";

app.post<{ Params: { urn: string }; Body: { endpoint: string } }>(
  `${topicsPath}/:urn/subscriptions`,
  async (request, reply) => {
    const { urn } = request.params;
    const subscriptionUrn = `${urn}:${newId()}`;
    const token = newId();
    unconfirmed.set(token, subscriptionUrn);
    lane.run(() => sendConfirmation(request.body.endpoint, urn, token));
    return reply
      .status(201)
      .send({ request_id: newId(), subscription_urn: subscriptionUrn });
  },
);

app.get<{ Querystring: { token: string } }>(
  "/smn/subscription/confirm",
  async (request, reply) => {
    const { token } = request.query;
    const subscriptionUrn = unconfirmed.get(token);
    if (!unconfirmed.delete(token)) return reply.status(404).send({});
    return { request_id: newId(), subscription_urn: subscriptionUrn };
  },
);

/** As long as Carillon's, which is signed. */
async function sendConfirmation(endpoint: string, urn: string, token: string) {
  const { origin: receiver, pathname } = new URL(endpoint);
  const messageId = newId();
  await post({
    origin: receiver,
    path: pathname,
    headers: [
      "content-type",
      "application/json; charset=utf-8",
      "user-agent",
      "Bare",
      "x-smn-message-type",
      "SubscriptionConfirmation",
      "x-smn-message-id",
      messageId,
      "x-smn-topic-urn",
      urn,
    ],
    body: Buffer.from(
      JSON.stringify({
        message: `You are invited to subscribe to the topic ${urn}. To confirm, open subscribe_url within 48 hours.`,
        message_id: messageId,
        subscribe_url: `${origin}/smn/subscription/confirm?token=${token}&topic_urn=${urn}&region=local&region_id=local`,
        timestamp: new Date().toISOString(),
        topic_urn: urn,
        type: "SubscriptionConfirmation",
        signature: "x".repeat(344),
        signature_version: "v1",
        signing_cert_url: `${origin}/smn/SMN_local_${messageId}.pem`,
      }),
    ),
  });
}

await app.listen({ port: 0, host: "127.0.0.1" });
const { port } = app.server.address() as AddressInfo;
origin = `http://127.0.0.1:${port}`;
serveQuestions(port, () => ({}));
