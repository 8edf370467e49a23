/** What the sandbox's webhooks were sent. */

import type { HttpApp } from "../../api/http-app.ts";
import { toMillisecondsText } from "../../api/timestamps.ts";
import { refusals } from "../../api/v2/error-answers.ts";
import { instant } from "../../api/v2/schema-parts.ts";
import { Type } from "../../json-schema.ts";
import type { WebhookInbox, WebhookRequest } from "../webhook-inbox.ts";
import { newest, searchParameters } from "./newest.ts";
import { seenBy } from "./seen-by.ts";

const tags = ["Sandbox"];

const WebhookRequestBody = Type.Object(
  {
    id: Type.String({ description: "Of the request" }),
    receivedAt: instant("When it came"),
    name: Type.String({ description: "Of the webhook" }),
    method: Type.String({ description: "Of the request" }),
    headers: Type.Record(Type.String(), Type.String(), {
      description: "By their names in small letters",
    }),
    query: Type.Record(Type.String(), Type.String(), {
      description: "Parameters of the address",
    }),
    body: Type.String({ description: "As it came" }),
    json: Type.Optional(
      Type.Unknown({ description: "The body, if it is JSON" }),
    ),
    status: Type.Integer({ description: "What was answered" }),
  },
  { title: "WebhookRequest" },
);

const WebhookRequestList = Type.Object(
  {
    requests: Type.Array(WebhookRequestBody, { description: "Oldest first" }),
  },
  { title: "WebhookRequestList" },
);

const listQuery = Type.Object(searchParameters("the name or the body"));

const nameParams = Type.Object({
  name: Type.String({ description: "The last part of the webhook's address" }),
});

export function webhookInspectionRoutes(
  app: HttpApp,
  webhooks: WebhookInbox,
): void {
  app.get(
    "/webhooks",
    {
      config: { operation: "sandbox.read" },
      schema: {
        summary: "Lists what webhooks were sent",
        tags,
        querystring: listQuery,
        response: { 200: WebhookRequestList, ...refusals },
      },
    },
    async (request) => ({
      requests: newest(
        webhooks.list({ isSeen: seenBy(request) }),
        textsOf,
        request.query,
      ).map(toBody),
    }),
  );

  app.delete(
    "/webhooks",
    {
      config: { operation: "sandbox.write" },
      schema: {
        summary: "Empties the webhooks",
        tags,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      webhooks.clear({ isSeen: seenBy(request) });
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/webhooks/:name",
    {
      config: { operation: "sandbox.read" },
      schema: {
        summary: "Lists what one webhook was sent",
        tags,
        params: nameParams,
        querystring: listQuery,
        response: { 200: WebhookRequestList, ...refusals },
      },
    },
    async (request) => ({
      requests: newest(
        webhooks.list({
          name: request.params.name,
          isSeen: seenBy(request),
        }),
        textsOf,
        request.query,
      ).map(toBody),
    }),
  );

  app.delete(
    "/webhooks/:name",
    {
      config: { operation: "sandbox.write" },
      schema: {
        summary: "Empties one webhook",
        tags,
        params: nameParams,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      webhooks.clear({ name, isSeen: seenBy(request) });
      return reply.code(204).send(null);
    },
  );
}

function textsOf({ name, body }: WebhookRequest): readonly string[] {
  return [name, body];
}

function toBody({
  receivedAt,
  bytes: _,
  projectId: __,
  ...request
}: WebhookRequest) {
  const json = parseJson(request.body);
  return {
    ...request,
    receivedAt: toMillisecondsText(receivedAt),
    ...(json !== undefined && { json }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
