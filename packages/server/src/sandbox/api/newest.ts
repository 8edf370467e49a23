/** The newest of what came to the sandbox that have a text in them. */

import { CarillonError } from "@carillon/core";
import { isWithin, rangeText } from "../../api/v2/schema-parts.ts";
import { Type } from "../../json-schema.ts";

/** As many as the sandbox keeps of each kind. */
const maxLimit = 1000;

/** @param where such as "the recipient, the subject or the text" */
export function searchParameters(where: string) {
  return {
    query: Type.Optional(
      Type.String({
        maxLength: 256,
        description: `Only those with this in ${where}, in capitals or not`,
      }),
    ),
    limit: Type.Optional(
      Type.String({
        description: `Only so many, 1 to ${maxLimit}, the newest; all by default`,
        errorCode: "PAGE_INVALID",
      }),
    ),
  };
}

/**
 * @param items oldest first, as are those that are answered
 * @param textsOf where the query is looked for
 * @throws CarillonError PAGE_INVALID
 */
export function newest<Item>(
  items: readonly Item[],
  textsOf: (item: Item) => readonly string[],
  {
    query = "",
    limit = String(maxLimit),
  }: {
    readonly query?: string | undefined;
    readonly limit?: string | undefined;
  },
): readonly Item[] {
  if (!isWithin(limit, maxLimit)) {
    throw new CarillonError("PAGE_INVALID", rangeText("limit", maxLimit));
  }
  const wanted = query.toLowerCase();
  return items
    .filter((item) =>
      textsOf(item).some((text) => text.toLowerCase().includes(wanted)),
    )
    .slice(-Number(limit));
}
