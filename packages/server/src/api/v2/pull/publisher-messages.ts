/** Publishing by categories, at a publisher's own path. */

import { checkMessageAttributes, maxMessageBytes } from "@carillon/core";
import { Type } from "../../../json-schema.ts";
import type { HttpApp } from "../../http-app.ts";
import { messageBodyBytes } from "../../json-body.ts";
import { failsWith } from "../../validation.ts";
import { refusals } from "../error-answers.ts";
import {
  idempotencyHeaders,
  messageOptionProperties,
} from "../message-options-schema.ts";
import { messageTimeProperties, timesOf } from "../message-times.ts";
import { messageAttributes, subject, timeToLiveSeconds } from "../publish.ts";
import { nameParams } from "./account-schemas.ts";
import { publisherOf } from "./mailbox-access.ts";
import type { PullPorts } from "./ports.ts";
import {
  categoriesProperty,
  messageProperty,
  Publication,
  publishByCategories,
  textOf,
} from "./publication.ts";

const NewPublication = Type.Object(
  {
    text: Type.Optional(
      Type.String({
        maxLength: maxMessageBytes,
        description: `The text, of ${maxMessageBytes} bytes at most`,
        ...failsWith("MESSAGE_INVALID"),
      }),
    ),
    message: Type.Optional(messageProperty),
    categories: Type.Optional(categoriesProperty),
    subject: Type.Optional(subject),
    attributes: Type.Optional(messageAttributes),
    timeToLiveSeconds: Type.Optional(timeToLiveSeconds),
    ...messageTimeProperties,
    ...messageOptionProperties,
  },
  { title: "NewPublication" },
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
          "Answers once the message is in all mailboxes, after 10 seconds at the latest, with the counts as they are then, which are absent for a delayed message; 200 instead of 201 when no category that was named exists, and nothing was published. Idempotency-Key works as for `POST /api/v2/messages`, which takes categories, too.",
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
      const {
        text,
        message,
        categories,
        attributes = [],
        timeToLiveSeconds: _,
        ...options
      } = request.body;
      const checked = checkMessageAttributes(attributes);
      const content = {
        ...options,
        ...timesOf(request.body, clock.now()),
        text: textOf({ text, message }),
        ...(checked.length > 0 && { attributes: checked }),
      };
      return await publishByCategories(
        request,
        reply,
        publisher,
        categories,
        content,
        pullPublishers,
      );
    },
  );
}
