/** Messages as those have them who fetch them. */

import { type PulledMessage, toLeaseId } from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../../json-schema.ts";
import { toMillisecondsText } from "../../timestamps.ts";
import { instant } from "../schema-parts.ts";

export const tags = ["Pull subscribers"];

export const PulledMessageBody = Type.Object(
  {
    id: Type.String({
      description:
        "Of the message; the same each time it is handed out, to know it again by",
    }),
    leaseId: Type.String({
      description: "To confirm it with, give it back or keep it for longer",
    }),
    leaseUntil: instant("When others get it, if it is not confirmed by then"),
    deliveryCount: Type.Integer({
      description: "How often it was handed out, this time counted",
    }),
    subject: Type.Optional(Type.String({ description: "If it has one" })),
    body: Type.String({ description: "The text" }),
    data: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "The publisher's `extraData`",
      }),
    ),
    attributes: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.String({ description: "Unique in the message" }),
          type: Type.String({
            description: "STRING, STRING_ARRAY or PROTOCOL",
          }),
          value: Type.Unknown({ description: "A text, or a list of texts" }),
        }),
        { description: "What filter policies looked at" },
      ),
    ),
    categories: Type.Array(Type.String(), {
      description:
        "References of the categories that it was published to, `*` for all of a publisher's subscribers; names of topics that are no categories",
    }),
    topicUrn: Type.String({
      description: "Of the subscription that it came through",
    }),
    orderingKey: Type.Optional(
      Type.String({
        description:
          "The next one of this key comes once this one is confirmed",
      }),
    ),
    createdAt: instant("When it was accepted"),
  },
  { title: "PulledMessage" },
);

export function toPulledMessageBody({
  key,
  leaseUntil,
  deliveryCount,
  messageId: id,
  subject,
  body,
  data,
  attributes,
  categories,
  topicUrn,
  orderingKey,
  createdAt,
}: PulledMessage): Static<typeof PulledMessageBody> {
  return {
    id,
    leaseId: toLeaseId(key),
    leaseUntil: toMillisecondsText(leaseUntil),
    deliveryCount,
    ...(subject !== undefined && { subject }),
    body,
    ...(data && { data: { ...data } }),
    ...(attributes && { attributes: [...attributes] }),
    categories: [...categories],
    topicUrn,
    ...(orderingKey !== undefined && { orderingKey }),
    createdAt: toMillisecondsText(createdAt),
  };
}
