/**
 * Stored messages: sent to one recipient each, kept, listed, cancelled and sent
 * again. One function makes the routes of texts and those of mails.
 */

import {
  CarillonError,
  checkRelatedObject,
  mailLimits,
  type ProjectId,
  type RelatedObject,
  type StoredChannel,
  type StoredMessage,
  type StoredMessageStore,
  type StoredMessages,
  sendRefusals,
} from "@carillon/core";
import type { FastifyReply } from "fastify";
import { Type } from "../../../json-schema.ts";
import { projectOf } from "../../authentication.ts";
import type { HttpApp } from "../../http-app.ts";
import { repeatableOf } from "../../idempotency.ts";
import { mailBodyBytes, messageBodyBytes } from "../../json-body.ts";
import { actorOf, cancelBody } from "../delivery-actions.ts";
import { refusals } from "../error-answers.ts";
import {
  givenRelatedObjects,
  idempotencyHeaders,
} from "../message-options-schema.ts";
import type { V2Ports } from "../ports.ts";
import { readLimit } from "../schema-parts.ts";
import { attachmentNotFound, placeOf, sendAttachment } from "./attachments.ts";
import {
  listQuery,
  readFilter,
  readRelatedObjects,
  relatedObjectParameters,
} from "./list-query.ts";
import {
  RelatedObjectBody,
  StoredBulk,
  StoredMessageBody,
  StoredMessageList,
  toBulkBody,
  toRelatedBody,
  toStoredMessageBody,
  toSummaryBody,
} from "./message-body.ts";
import { requestSchemas, toStoredRequest } from "./requests.ts";

export interface StoredMessagePorts {
  readonly stored: Readonly<Record<StoredChannel, StoredMessages>>;
  readonly attachments: Pick<StoredMessageStore, "readAttachment">;
  /** Of all attachments of a mail, at most, as it is set now. */
  readonly maxAttachmentBytes: () => number;
}

/** What differs between the two. */
const channels = {
  sms: {
    path: "/sms",
    group: "SMS",
    one: "SMS",
    a: "an SMS",
    many: "SMS messages",
    mostBodyBytes: messageBodyBytes,
  },
  email: {
    path: "/emails",
    group: "E-mails",
    one: "mail",
    a: "a mail",
    many: "mails",
    mostBodyBytes: mailBodyBytes(mailLimits.mostAttachmentBytes),
  },
} as const satisfies Record<StoredChannel, object>;

const repeats =
  "With an Idempotency-Key the same request within 24 hours is answered the same, with Idempotency-Replayed: true, and sends nothing more.";

const Refused = Type.Object(
  {
    refusals: Type.Array(Type.Enum([...sendRefusals]), {
      description:
        "inactive: the template is; duplicate: it was sent before about all these objects; disallowed: it may not be sent about one of them",
    }),
  },
  {
    title: "TemplateRefusal",
    description: "It may not be sent; nothing was stored",
  },
);

const RelatedObjects = Type.Object(
  {
    relatedObjects: Type.Array(RelatedObjectBody, {
      description: "What it is about",
    }),
  },
  { title: "StoredRelatedObjects" },
);

const messageParams = Type.Object({
  deliveryId: Type.String({ description: "Id of a stored message" }),
});

const attachmentParams = Type.Object({
  ...messageParams.properties,
  place: Type.String({
    description: "Its place among the attachments, from 1",
  }),
});

const addBody = Type.Object(
  { relatedObjects: givenRelatedObjects },
  { title: "RelatedObjectsToAdd" },
);

const setBody = Type.Object(
  {
    relatedObjects: givenRelatedObjects,
    type: Type.Optional(
      Type.String({
        description: "Only those of this type are replaced; default: all",
      }),
    ),
  },
  { title: "RelatedObjectsToSet" },
);

export function storedMessageRoutes(
  app: HttpApp,
  channel: StoredChannel,
  {
    stored,
    attachments,
    maxAttachmentBytes,
    protocols,
  }: StoredMessagePorts & Pick<V2Ports, "protocols">,
): void {
  const messages = stored[channel];
  const {
    path,
    group,
    one,
    a,
    many,
    mostBodyBytes: bodyLimit,
  } = channels[channel];
  const tags = [group];
  const bodies = requestSchemas(channel);
  const response = { 200: StoredMessageBody, ...refusals };
  const sending = {
    operation: "messages.publish",
    isFrequent: true,
    ...(channel === "email" && {
      bodyBytes: () => mailBodyBytes(maxAttachmentBytes()),
    }),
  } as const;

  async function getMessage(
    projectId: ProjectId,
    id: string,
  ): Promise<StoredMessage> {
    const found = await messages.find(projectId, id);
    if (found) return found;
    throw new CarillonError(
      "DELIVERY_NOT_FOUND",
      `There is no ${one} of that id in this project.`,
    );
  }

  function answerSent(reply: FastifyReply, message: StoredMessage) {
    markReplay(reply, message);
    reply.code(201).header("location", `/api/v2${path}/${message.id}`);
    return toStoredMessageBody(message, protocols);
  }

  app.post(
    path,
    {
      config: sending,
      bodyLimit,
      schema: {
        summary: `Sends ${a}`,
        description: `Answers once it is on disk, or, with waitSeconds, once its first attempt has ended, with all that is kept of it. ${repeats}`,
        tags,
        headers: idempotencyHeaders,
        body: bodies.message,
        response: { 201: StoredMessageBody, ...refusals },
      },
    },
    async (request, reply) => {
      const repeatable = repeatableOf(request, channel);
      const message = await messages.send(
        projectOf(request),
        toStoredRequest(request.body, repeatable),
      );
      return answerSent(reply, message);
    },
  );

  app.post(
    `${path}/bulk`,
    {
      config: sending,
      bodyLimit,
      schema: {
        summary: `Sends the same to several recipients, each ${a} of their own`,
        description: `All or none are stored. ${repeats}`,
        tags,
        headers: idempotencyHeaders,
        body: bodies.bulk,
        response: { 201: StoredBulk, ...refusals },
      },
    },
    async (request, reply) => {
      const repeatable = repeatableOf(request, `${channel} bulk`);
      const sent = await messages.sendBulk(
        projectOf(request),
        toStoredRequest(request.body, repeatable),
      );
      if (sent[0]) markReplay(reply, sent[0]);
      reply.code(201);
      return toBulkBody(sent);
    },
  );

  app.post(
    `${path}/from-template`,
    {
      config: sending,
      bodyLimit,
      schema: {
        summary: `Sends what a template makes of a context as ${a}`,
        description: `Answered 200 with the reasons when it may not be sent: nothing is stored then. ${repeats}`,
        tags,
        headers: idempotencyHeaders,
        body: bodies.fromTemplate,
        response: { 200: Refused, 201: StoredMessageBody, ...refusals },
      },
    },
    async (request, reply) => {
      const repeatable = repeatableOf(request, `${channel} from-template`);
      const sending = await messages.sendTemplate(
        projectOf(request),
        toStoredRequest(request.body, repeatable),
      );
      if ("refusals" in sending) {
        reply.code(200);
        return { refusals: [...sending.refusals] };
      }
      return answerSent(reply, sending.message);
    },
  );

  app.get(
    path,
    {
      config: { operation: "messages.read" },
      schema: {
        summary: `Lists ${many}, newest first`,
        tags,
        querystring: listQuery,
        response: { 200: StoredMessageList, ...refusals },
      },
    },
    async (request) => {
      const { query } = request;
      const { before } = query;
      const page = await messages.listSummaries(
        projectOf(request),
        readFilter(query),
        {
          limit: readLimit(query.limit),
          ...(before !== undefined && { before }),
        },
      );
      return {
        messages: page.messages.map(toSummaryBody),
        ...(page.next !== undefined && { next: page.next }),
      };
    },
  );

  app.get(
    `${path}/was-sent`,
    {
      config: { operation: "messages.read" },
      schema: {
        summary: `Says whether ${a} of a template was ever made about an object`,
        description: "In whatever state it is; about all objects, of several.",
        tags,
        querystring: Type.Object({
          template: Type.String({ description: "The template's slug" }),
          ...relatedObjectParameters,
        }),
        response: {
          200: Type.Object(
            { wasSent: Type.Boolean({ description: "Whether it was" }) },
            { title: "WasSent" },
          ),
          ...refusals,
        },
      },
    },
    async (request) => {
      const { template, ...query } = request.query;
      const objects = readRelatedObjects(query);
      if (objects.length === 0) {
        throw new CarillonError(
          "MESSAGE_OPTION_INVALID",
          "relatedObjectType and relatedObjectId are missing: what it would be about.",
        );
      }
      const wasSent = await messages.wasSent(
        projectOf(request),
        template,
        objects,
      );
      return { wasSent };
    },
  );

  app.get(
    `${path}/:deliveryId`,
    {
      config: { operation: "messages.read" },
      schema: { summary: `Shows ${a}`, tags, params: messageParams, response },
    },
    async (request) =>
      toStoredMessageBody(
        await getMessage(projectOf(request), request.params.deliveryId),
        protocols,
      ),
  );

  for (const action of ["cancel", "retry"] as const) {
    app.post(
      `${path}/:deliveryId/${action}`,
      {
        config: { operation: "deliveries.write" },
        schema: {
          summary: actionTexts[action].summary(a),
          description: actionTexts[action].description,
          tags,
          params: messageParams,
          body: cancelBody,
          response,
        },
      },
      async (request) =>
        toStoredMessageBody(
          await messages[action](
            projectOf(request),
            request.params.deliveryId,
            actorOf(request),
            request.body.reason,
          ),
          protocols,
        ),
    );
  }

  const relatedPath = `${path}/:deliveryId/related-objects`;
  const related = { 200: RelatedObjects, ...refusals };

  app.get(
    relatedPath,
    {
      config: { operation: "messages.read" },
      schema: {
        summary: `Lists what ${a} is about`,
        tags,
        params: messageParams,
        response: related,
      },
    },
    async (request) => {
      const { deliveryId } = request.params;
      const message = await getMessage(projectOf(request), deliveryId);
      return { relatedObjects: toRelatedBody(message.relatedObjects) };
    },
  );

  app.post(
    relatedPath,
    {
      config: { operation: "messages.publish" },
      schema: {
        summary: `Adds what ${a} is about`,
        description:
          "What it is about already is left as it is. Of a bulk: of all its messages.",
        tags,
        params: messageParams,
        body: addBody,
        response: related,
      },
    },
    async (request) => {
      const objects = await messages.addRelatedObjects(
        projectOf(request),
        request.params.deliveryId,
        checkRelatedObjects(request.body.relatedObjects),
      );
      return { relatedObjects: toRelatedBody(objects) };
    },
  );

  app.put(
    relatedPath,
    {
      config: { operation: "messages.publish" },
      schema: {
        summary: `Replaces what ${a} is about`,
        description:
          "With a type only the objects of it. Of a bulk: of all its messages.",
        tags,
        params: messageParams,
        body: setBody,
        response: related,
      },
    },
    async (request) => {
      const { relatedObjects, type } = request.body;
      const objects = await messages.setRelatedObjects(
        projectOf(request),
        request.params.deliveryId,
        checkRelatedObjects(relatedObjects, type),
        type,
      );
      return { relatedObjects: toRelatedBody(objects) };
    },
  );

  if (channel !== "email") return;
  app.get(
    `${path}/:deliveryId/attachments/:place`,
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Gives an attachment's bytes",
        description:
          "By its media type, as a file to keep: browsers do not show it.",
        tags,
        params: attachmentParams,
        response: {
          200: Type.String({ description: "The bytes" }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const { deliveryId, place } = request.params;
      const { message, attachments: infos } = await getMessage(
        projectOf(request),
        deliveryId,
      );
      const at = placeOf(place, infos.length);
      const found = await attachments.readAttachment(message.seq, at);
      // It went since.
      if (!found) throw attachmentNotFound(infos.length);
      return sendAttachment(reply, found);
    },
  );
}

const actionTexts = {
  cancel: {
    summary: (a: string) => `Cancels ${a} whose next attempt has not begun`,
    description:
      "Refused with `DELIVERY_STATE_CONFLICT` once it is under way, or over.",
  },
  retry: {
    summary: (a: string) => `Makes another attempt at ${a}, now`,
    description:
      "What costs money costs it again. Refused with `DELIVERY_STATE_CONFLICT` for what was sent, with `DELIVERY_EXPIRED` where its life is over.",
  },
} as const;

/** Says so when it answers what an earlier request sent. */
function markReplay(
  reply: FastifyReply,
  { repeatsRequestId }: StoredMessage,
): void {
  if (repeatsRequestId === undefined) return;
  reply.header("idempotency-replayed", "true");
}

/** @throws CarillonError MESSAGE_OPTION_INVALID */
function checkRelatedObjects(
  given: readonly unknown[],
  type?: string,
): readonly RelatedObject[] {
  return given.map((one, n) => {
    const object = checkRelatedObject(one, `relatedObjects[${n}]`);
    if (type === undefined || object.type === type) return object;
    throw new CarillonError(
      "MESSAGE_OPTION_INVALID",
      `Invalid relatedObjects[${n}]: only those of type are replaced, and it is of another.`,
    );
  });
}
