/** Parts that the schemas of publishers and subscribers have in common. */

import {
  allCategories,
  maxCategoriesOfMessage,
  maxCategoryLength,
} from "@carillon/core";
import { Type } from "../../../json-schema.ts";
import { failsWith } from "../../validation.ts";
import { limitParameter } from "../schema-parts.ts";

/** Of routes below `/publishers/{name}` and `/subscribers/{name}`. */
export function nameParams(what: string) {
  return Type.Object({
    name: Type.String({ description: `Of a ${what} of the caller's project` }),
  });
}

export const secret = Type.String({
  description:
    "The password of its Basic credentials, whose user name is `id`; not shown again",
});

export const disabled = Type.Boolean({
  description: "True: its own credentials are refused",
});

export const accountListQuery = Type.Object({
  limit: limitParameter,
  after: Type.Optional(
    Type.String({ description: "`next` of the page before" }),
  ),
});

export const next = Type.Optional(
  Type.String({ description: "`after` of the next page, if there is one" }),
);

export const reference = Type.String({
  description: `As publishers name it, kept character by character; 1 to ${maxCategoryLength} of them, and not \`${allCategories}\``,
  ...failsWith("CATEGORY_INVALID"),
});

export const categoryReferences = Type.Array(
  Type.String({ ...failsWith("CATEGORY_INVALID") }),
  {
    maxItems: maxCategoriesOfMessage,
    description: `References of the publisher's categories, ${maxCategoriesOfMessage} at most`,
    ...failsWith("CATEGORY_INVALID"),
  },
);

/** A page of a list that was read with one more than its limit. */
export function pageOf<Account extends { readonly seq: number }>(
  found: readonly Account[],
  limit: number,
): { readonly page: readonly Account[]; readonly next?: string } {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    page,
    ...(last && found.length > limit && { next: String(last.seq) }),
  };
}
