/** Publishing by categories: what a request says, carrying it out, its answer. */

import {
  allCategories,
  CarillonError,
  maxMessageBytes,
  type PublicationCounts,
  type PublishRequest,
  type PullPublisher,
  type PullPublishers,
} from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { Type } from "../../../json-schema.ts";
import { answeredId, repeatableOf } from "../../idempotency.ts";
import { failsWith } from "../../validation.ts";

/** Members of the body that name a publisher's subscribers. */
export const categoriesProperty = Type.Union(
  [Type.String(), Type.Array(Type.String())],
  {
    description:
      "Reference of a category, or several: whoever follows any of them gets the message once. `*`, also among others, and by default: all subscribers of the publisher. Those that there are not are passed over",
    ...failsWith("CATEGORY_INVALID"),
  },
);

export const messageProperty = Type.String({
  maxLength: maxMessageBytes,
  description: "The same as text, which may stand in its place",
  ...failsWith("MESSAGE_INVALID"),
});

/** One client of the Notipy protocol reads `fail`, another `failed`. */
const countsProperties = {
  success: Type.Optional(
    Type.Integer({
      description:
        "It is in their mailbox, or on its way to them. The counts are absent for a delayed message: they are not known yet",
    }),
  ),
  fail: Type.Optional(
    Type.Integer({ description: "Their mailbox is full or disabled" }),
  ),
  failed: Type.Optional(Type.Integer({ description: "The same" })),
  total: Type.Optional(
    Type.Integer({ description: "Subscribers that it went to" }),
  ),
};

export const Publication = Type.Object(
  {
    id: Type.Optional(
      Type.String({
        description: "Of the message; absent: it would have reached nobody",
      }),
    ),
    ...countsProperties,
  },
  { title: "Publication" },
);

/** As the Notipy protocol has them, too; nothing where they are not known. */
export function toCountsBody(counts: PublicationCounts | undefined) {
  if (counts === undefined) return {};
  const { passed, failed, total } = counts;
  return { success: passed, fail: failed, failed, total };
}

/**
 * Publishes, and answers once the message is in all mailboxes.
 *
 * @throws CarillonError as `PullPublishers.publish` does, IDEMPOTENCY_KEY_INVALID
 */
export async function publishByCategories(
  request: FastifyRequest,
  reply: FastifyReply,
  publisher: PullPublisher,
  categories: string | readonly string[] = allCategories,
  content: PublishRequest,
  publishers: Pick<PullPublishers, "publish">,
): Promise<Static<typeof Publication>> {
  const { counts, published } = await publishers.publish(
    publisher,
    [categories].flat(),
    {
      ...content,
      repeatable: repeatableOf(
        request,
        `publishers/${publisher.id}`,
        publisher.projectId,
        publisher.id,
      ),
    },
  );
  const body = toCountsBody(counts);
  if (!published) {
    reply.code(200);
    return body;
  }
  answeredId(request, reply, published);
  const { messageId: id } = published;
  reply.code(201).header("location", `/api/v2/messages/${id}`);
  return { id, ...body };
}

/**
 * The text, by whichever of its two names.
 *
 * @throws CarillonError MESSAGE_INVALID
 */
export function textOf({
  text,
  message,
}: {
  readonly text?: string | undefined;
  readonly message?: string | undefined;
}): string {
  if (text !== undefined && message === undefined) return text;
  if (message !== undefined && text === undefined) return message;
  throw new CarillonError(
    "MESSAGE_INVALID",
    "Invalid message: one of text and message is expected.",
  );
}
