/**
 * The sandbox's webhooks: `POST /sandbox/webhooks/{name}`. The address may say
 * how it answers: `?status=503`, `?delay=10000` (milliseconds).
 */

import { type ProjectId, parseTopicUrn } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { HttpApp } from "../api/http-app.ts";
import { messageBodyBytes, rawBodyOf } from "../api/json-body.ts";
import { Type } from "../json-schema.ts";
import type { WebhookInbox } from "./webhook-inbox.ts";

const maxDelayMs = 600_000;

const query = Type.Object({
  status: Type.Optional(Type.String({ pattern: "^[2-5][0-9][0-9]$" })),
  delay: Type.Optional(Type.String({ pattern: "^[0-9]{1,6}$" })),
});

const params = Type.Object({ name: Type.String({ maxLength: 128 }) });

export function webhookRoutes(app: HttpApp, webhooks: WebhookInbox): void {
  // A request that was asked to hang must not hold up a shutdown.
  app.addHook("preClose", async () => webhooks.close());

  app.post(
    "/sandbox/webhooks/:name",
    {
      config: { operation: "public" },
      schema: { params, querystring: query },
      bodyLimit: messageBodyBytes,
    },
    async (request, reply) => {
      const { status = "200", delay = "0" } = request.query;
      webhooks.add({
        name: request.params.name,
        method: request.method,
        headers: toTexts(request.headers),
        query: toTexts(request.query),
        body: rawBodyOf(request).toString(),
        status: Number(status),
        projectId: ownerOf(request.headers),
      });
      await webhooks.wait(Math.min(Number(delay), maxDelayMs));
      return reply.code(Number(status)).send({ received: true });
    },
  );
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
