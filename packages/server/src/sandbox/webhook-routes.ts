/**
 * The sandbox's webhooks: `POST /sandbox/webhooks/{name}`. The address may say
 * how it answers, such as `?status=503&times=2`; see `outcomes.ts`.
 */

import { excerpt } from "@carillon/channels";
import { type ProjectId, parseTopicUrn } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { HttpApp } from "../api/http-app.ts";
import { messageBodyBytes, rawBodyOf } from "../api/json-body.ts";
import { RequestError } from "../errors.ts";
import { Type } from "../json-schema.ts";
import { AttemptCounts } from "./attempt-counts.ts";
import { type WebhookParameter, webhookParameters } from "./outcomes.ts";
import type { WebhookInbox } from "./webhook-inbox.ts";

const params = Type.Object({ name: Type.String({ maxLength: 128 }) });

export function webhookRoutes(app: HttpApp, webhooks: WebhookInbox): void {
  const attempts = new AttemptCounts();
  // A request that was asked to hang must not hold up a shutdown.
  app.addHook("preClose", async () => webhooks.close());

  app.post(
    "/sandbox/webhooks/:name",
    {
      config: { operation: "public", isFrequent: true },
      schema: { params, querystring: Type.Object({}) },
      bodyLimit: messageBodyBytes,
    },
    async (request, reply) => {
      const { headers, query } = request;
      const asked = parseAnswer(query);
      const isForced =
        !isNotice(headers) &&
        (asked.times === undefined ||
          attempts.add(request.url, messageIdOf(headers)) < asked.times);
      const { status = 200, delay = 0 } = isForced ? asked : {};
      webhooks.add({
        name: request.params.name,
        method: request.method,
        headers: toTexts(headers),
        query: toTexts(query),
        body: rawBodyOf(request).toString(),
        status,
        projectId: ownerOf(headers),
      });
      await webhooks.wait(delay);
      const retryAfter = isForced ? asked["retry-after"] : undefined;
      if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
      return reply.code(status).send({ received: true });
    },
  );
}

/** @throws RequestError REQUEST_INVALID */
function parseAnswer(
  query: object,
): Partial<Record<WebhookParameter["name"], number>> {
  const values = new Map<string, unknown>(Object.entries(query));
  const answer: Partial<Record<WebhookParameter["name"], number>> = {};
  for (const { name, least, most } of webhookParameters) {
    const value = values.get(name);
    if (value === undefined) continue;
    // Given twice it is a list.
    const isNumber = typeof value === "string" && /^[0-9]{1,6}$/.test(value);
    const number = isNumber ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) {
      throw new RequestError(
        "REQUEST_INVALID",
        `${name} must be one whole number from ${least} to ${most}, got ${excerpt(JSON.stringify(value), 64)}.`,
      );
    }
    answer[name] = number;
  }
  return answer;
}

/** Whoever confirms shall see the outcome of what is published. */
function isNotice({ "x-smn-message-type": type }: FastifyRequest["headers"]) {
  return (
    type === "SubscriptionConfirmation" || type === "UnsubscribeConfirmation"
  );
}

function messageIdOf({ "x-smn-message-id": id }: FastifyRequest["headers"]) {
  return typeof id === "string" ? id : undefined;
}

/** Any caller may say so; all it does is to be seen there. */
function ownerOf(headers: FastifyRequest["headers"]): ProjectId | undefined {
  const { "x-smn-topic-urn": urn } = headers;
  return typeof urn === "string" ? parseTopicUrn(urn)?.projectId : undefined;
}

function toTexts(values: object): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    texts[name] = String(value);
  }
  return texts;
}
