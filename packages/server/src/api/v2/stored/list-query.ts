/** Which stored messages are listed. */

import {
  CarillonError,
  checkRelatedObject,
  checkTag,
  deliveryStates,
  parseDeliveryId,
  pymessStateNames,
  type RelatedObject,
  type StoredMessageFilter,
} from "@carillon/core";
import type { Static } from "typebox";
import { RequestError } from "../../../errors.ts";
import { Type } from "../../../json-schema.ts";
import { failsWith } from "../../validation.ts";
import {
  limitParameter,
  parseInstant,
  sinceParameter,
} from "../schema-parts.ts";

const oneOrMore = (description: string) =>
  Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 32 })], {
      description,
      ...failsWith("MESSAGE_OPTION_INVALID"),
    }),
  );

/** Names one object, or several by being there several times. */
export const relatedObjectParameters = {
  relatedObjectType: oneOrMore(
    "Only those about this object; with relatedObjectId. Both may come several times: about all of these",
  ),
  relatedObjectId: oneOrMore("Its id; with relatedObjectType"),
};

export const listQuery = Type.Object({
  state: Type.Optional(
    Type.String({
      description: `Only those in this state, ours or pymess's: ${deliveryStates.join(", ")}; ${pymessStateNames.join(", ")}`,
    }),
  ),
  tag: Type.Optional(Type.String({ description: "Only those with this tag" })),
  template: Type.Optional(
    Type.String({
      description: "Only those made from the template of this slug",
    }),
  ),
  ...relatedObjectParameters,
  to: Type.Optional(
    Type.String({
      description:
        "Only those to this recipient, cleaned up as when it is sent to",
    }),
  ),
  since: sinceParameter("Only those created"),
  until: Type.Optional(
    Type.String({
      maxLength: 64,
      description: "Only those created before this instant (RFC 3339)",
    }),
  ),
  limit: limitParameter,
  before: Type.Optional(
    Type.String({
      description: "Id of a message: the page starts behind it",
      ...failsWith("PAGE_INVALID"),
    }),
  ),
});

type ListQuery = Static<typeof listQuery>;

/**
 * @throws CarillonError MESSAGE_OPTION_INVALID, PAGE_INVALID
 * @throws RequestError REQUEST_INVALID
 */
export function readFilter({
  state,
  tag,
  template,
  to,
  since,
  until,
  before,
  ...query
}: ListQuery): StoredMessageFilter {
  const from = since === undefined ? undefined : parseInstant(since);
  const end = until === undefined ? undefined : parseInstant(until, "until");
  if (from !== undefined && end !== undefined && end <= from) {
    throw new RequestError(
      "REQUEST_INVALID",
      "until is not as expected: an instant after since.",
    );
  }
  if (before !== undefined && parseDeliveryId(before) === undefined) {
    throw new CarillonError(
      "PAGE_INVALID",
      "Invalid before: the id of a stored message is expected, as next of a page has it.",
    );
  }
  const related = readRelatedObjects(query);
  return {
    ...(state !== undefined && readState(state)),
    tag: tag === undefined ? undefined : checkTag(tag),
    templateSlug: template,
    relatedObjects: related.length > 0 ? related : undefined,
    to,
    since: from,
    until: end,
  };
}

/**
 * The objects that a query names, in their order.
 *
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function readRelatedObjects({
  relatedObjectType,
  relatedObjectId,
}: Pick<
  ListQuery,
  "relatedObjectType" | "relatedObjectId"
>): readonly RelatedObject[] {
  const types = [relatedObjectType ?? []].flat();
  const ids = [relatedObjectId ?? []].flat();
  if (types.length === ids.length) {
    return types.map((type, n) =>
      checkRelatedObject({ type, id: ids[n] }, "related object"),
    );
  }
  const missing = types.length < ids.length ? "Type" : "Id";
  throw new CarillonError(
    "MESSAGE_OPTION_INVALID",
    `relatedObject${missing} is missing: a related object is named by relatedObjectType and relatedObjectId together.`,
  );
}

/** @throws RequestError REQUEST_INVALID */
function readState(
  name: string,
): Pick<StoredMessageFilter, "state" | "pymessState"> {
  const state = deliveryStates.find((it) => it === name);
  if (state) return { state };
  const pymessState = pymessStateNames.find((it) => it === name);
  if (pymessState) return { pymessState };
  throw new RequestError(
    "REQUEST_INVALID",
    `state must be one of ${deliveryStates.join(", ")}, or of ${pymessStateNames.join(", ")}.`,
  );
}
