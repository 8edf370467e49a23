/** What a message may carry besides its content, as it stands in our own API. */

import {
  messageClasses,
  messageOptionLimits,
  messagePriorities,
} from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { failsWith } from "../validation.ts";
import { instant } from "./schema-parts.ts";

const optionCode = failsWith("MESSAGE_OPTION_INVALID");

const { relatedObjectLength } = messageOptionLimits;

/** Headers of a request that can be sent again and is carried out once. */
export const idempotencyHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      description:
        "Names the request, so that it can be sent again and publishes once",
    }),
  ),
});

/** Objects as they are given. @param what they are, for people */
export function givenObjects(what: string) {
  return Type.Array(
    Type.Object({
      type: Type.String({
        description: `Kind of the object, such as order, of ${relatedObjectLength} characters at most`,
      }),
      id: Type.Union([Type.String(), Type.Number()], {
        description: `Which one of its kind, of ${relatedObjectLength} characters at most`,
      }),
    }),
    {
      description: `${what}, ${messageOptionLimits.relatedObjects} at most; an integer id is the same as its digits`,
      ...optionCode,
    },
  );
}

/** Objects that a message is about. */
export const givenRelatedObjects = givenObjects(
  "What the message is about in the publisher's own system",
);

/** Members of the body. */
export const messageOptionProperties = {
  notBefore: Type.Optional(
    instant("No attempt is made before this; at most 35 days ahead"),
  ),
  class: Type.Optional(
    Type.String({
      description: `${messageClasses.join(", ")}: kind of traffic`,
      ...optionCode,
    }),
  ),
  tag: Type.Optional(
    Type.String({
      description: `A label to find messages by, of ${messageOptionLimits.tagLength} characters at most`,
      ...optionCode,
    }),
  ),
  priority: Type.Optional(
    Type.Number({
      description: `${messagePriorities.join(", ")}; 1 is the highest`,
      ...optionCode,
    }),
  ),
  relatedObjects: Type.Optional(givenRelatedObjects),
  extraData: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: `Kept for the publisher and not delivered, ${messageOptionLimits.extraDataBytes} bytes at most`,
      ...optionCode,
    }),
  ),
  orderingKey: Type.Optional(
    Type.String({
      description: `Who fetches messages gets those of one key one after the other: the next is handed out when the one before is confirmed; ${messageOptionLimits.orderingKeyLength} characters at most`,
      ...optionCode,
    }),
  ),
  statusUrl: Type.Optional(
    Type.String({
      description: `http or https URL that is told of outcomes, of ${messageOptionLimits.statusUrlLength} characters at most`,
      ...optionCode,
    }),
  ),
};
