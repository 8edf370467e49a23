/** Publishing by categories, as our own API has it. */

import {
  addMs,
  allCategories,
  CarillonError,
  checkMessageAttributes,
  type EpochMs,
  maxMessageBytes,
  maxTimeToLiveSeconds,
  messageOptionLimits,
  type PublishRequest,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../../json-schema.ts";
import type { HttpApp } from "../../http-app.ts";
import { answeredId, repeatableOf } from "../../idempotency.ts";
import { messageBodyBytes } from "../../json-body.ts";
import { failsWith } from "../../validation.ts";
import { refusals } from "../error-answers.ts";
import {
  idempotencyHeaders,
  messageOptionProperties,
} from "../message-options-schema.ts";
import { messageAttributes, subject, timeToLiveSeconds } from "../publish.ts";
import { instant, parseInstant } from "../schema-parts.ts";
import { nameParams } from "./account-schemas.ts";
import { publisherOf } from "./mailbox-access.ts";
import type { PullPorts } from "./ports.ts";

const NewPublication = Type.Object(
  {
    message: Type.String({
      maxLength: maxMessageBytes,
      description: `The text, of ${maxMessageBytes} bytes at most`,
      ...failsWith("MESSAGE_INVALID"),
    }),
    categories: Type.Optional(
      Type.Union([Type.String(), Type.Array(Type.String())], {
        description:
          "Reference of a category, or several: whoever follows any of them gets the message once. `*`, also among others, and by default: all subscribers of the publisher. Those that there are not are passed over",
        ...failsWith("CATEGORY_INVALID"),
      }),
    ),
    subject: Type.Optional(subject),
    attributes: Type.Optional(messageAttributes),
    timeToLiveSeconds: Type.Optional(timeToLiveSeconds),
    expiresAt: Type.Optional(
      instant(
        "In place of timeToLiveSeconds: whoever has not fetched it by then does not get it",
      ),
    ),
    delayMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: messageOptionLimits.notBeforeMs,
        description:
          "In place of notBefore: milliseconds until it can be fetched, or is attempted",
        ...failsWith("MESSAGE_OPTION_INVALID"),
      }),
    ),
    ...messageOptionProperties,
  },
  { title: "NewPublication" },
);

const Publication = Type.Object(
  {
    id: Type.Optional(
      Type.String({
        description: "Of the message; absent: it would have reached nobody",
      }),
    ),
    total: Type.Integer({ description: "Subscribers that it went to" }),
    passed: Type.Integer({
      description: "It is in their mailbox, or on its way to them",
    }),
    failed: Type.Integer({ description: "Their mailbox is full or disabled" }),
  },
  { title: "Publication" },
);

export function publisherMessageRoutes(
  app: HttpApp,
  { pullPublishers, clock }: Pick<PullPorts, "pullPublishers" | "clock">,
): void {
  app.post(
    "/publishers/:name/messages",
    {
      config: {
        operation: "messages.publish",
        account: "publisher",
        isFrequent: true,
      },
      bodyLimit: messageBodyBytes,
      schema: {
        summary: "Publishes to a publisher's categories",
        description:
          "Answers once the message is in all mailboxes, after 10 seconds at the latest, with the counts as they are then; 200 instead of 201 when no category that was named exists, and nothing was published. Idempotency-Key works as for `POST /api/v2/messages`.",
        tags: ["Publishers"],
        params: nameParams("publisher"),
        headers: idempotencyHeaders,
        body: NewPublication,
        response: { 200: Publication, 201: Publication, ...refusals },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const publisher = await publisherOf(request, name, pullPublishers);
      const { categories = allCategories } = request.body;
      const { published, ...counts } = await pullPublishers.publish(
        publisher,
        [categories].flat(),
        {
          ...toRequest(request.body, clock.now()),
          repeatable: repeatableOf(
            request,
            `publishers/${publisher.id}`,
            publisher.projectId,
          ),
        },
      );
      const { passed, failed, total } = counts;
      if (!published) return { total, passed, failed };
      answeredId(request, reply, published);
      const { messageId: id } = published;
      reply.code(201).header("location", `/api/v2/messages/${id}`);
      return { id, total, passed, failed };
    },
  );
}

/** @throws CarillonError MESSAGE_ATTRIBUTES_INVALID, TIME_TO_LIVE_INVALID, MESSAGE_OPTION_INVALID */
function toRequest(
  body: Static<typeof NewPublication>,
  now: EpochMs,
): PublishRequest {
  const {
    message,
    categories: _,
    attributes = [],
    timeToLiveSeconds: givenLife,
    expiresAt,
    delayMs,
    notBefore: givenStart,
    ...options
  } = body;
  if (delayMs !== undefined && givenStart !== undefined) {
    throw new CarillonError(
      "MESSAGE_OPTION_INVALID",
      "Invalid delayMs: one of delayMs and notBefore is expected, both were given.",
    );
  }
  if (expiresAt !== undefined && givenLife !== undefined) {
    throw new CarillonError(
      "TIME_TO_LIVE_INVALID",
      "Invalid expiresAt: one of expiresAt and timeToLiveSeconds is expected, both were given.",
    );
  }
  const notBefore =
    givenStart !== undefined
      ? parseInstant(givenStart, "notBefore")
      : delayMs
        ? addMs(now, delayMs)
        : undefined;
  const timeToLive =
    expiresAt === undefined
      ? givenLife
      : lifeUntil(parseInstant(expiresAt, "expiresAt"), notBefore ?? now);
  const checked = checkMessageAttributes(attributes);
  return {
    ...options,
    text: message,
    timeToLive,
    ...(checked.length > 0 && { attributes: checked }),
    notBefore,
  };
}

/** In seconds; lives are whole ones. @throws CarillonError TIME_TO_LIVE_INVALID */
function lifeUntil(end: EpochMs, start: EpochMs): number {
  const seconds = Math.ceil((end - start) / 1000);
  if (seconds >= 1 && seconds <= maxTimeToLiveSeconds) return seconds;
  throw new CarillonError(
    "TIME_TO_LIVE_INVALID",
    `Invalid expiresAt: an instant from 1 to ${maxTimeToLiveSeconds} seconds after the message can first be fetched is expected.`,
  );
}
