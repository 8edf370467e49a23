/** Pages of lists, as SMN asks for them and as OpenStack's clients expect. */

import { CarillonError, type PageRequest } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { Type } from "../../json-schema.ts";
import type { OriginOf } from "../origin.ts";
import { failsWith } from "../validation.ts";

/** Parts of the query of every list. */
export const pageParameters = {
  offset: Type.Optional(Type.String(failsWith("PAGE_INVALID"))),
  limit: Type.Optional(Type.String(failsWith("PAGE_INVALID"))),
  /** Id of the last item seen; then `offset` counts for nothing. */
  marker: Type.Optional(Type.String(failsWith("PAGE_INVALID"))),
};

const defaultLimit = 100;
const maxLimit = 100;

/**
 * @param markerId answers the store's id of the item a marker names; one that
 * names none starts a page behind which nothing comes
 * @throws CarillonError PAGE_INVALID
 */
export async function readPage(
  query: {
    readonly offset?: string;
    readonly limit?: string;
    readonly marker?: string;
  },
  markerId: (
    marker: string,
  ) => string | undefined | Promise<string | undefined>,
): Promise<PageRequest> {
  const page = {
    offset: readNumber(query.offset, 0, 0, Number.MAX_SAFE_INTEGER),
    limit: readNumber(query.limit, defaultLimit, 1, maxLimit),
  };
  if (query.marker === undefined) return page;
  return { ...page, marker: (await markerId(query.marker)) ?? "" };
}

function readNumber(
  text: string | undefined,
  absent: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return absent;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
  throw new CarillonError(
    "PAGE_INVALID",
    `Invalid offset or limit: offset is 0 or more, limit is 1 to ${maxLimit}.`,
  );
}

/**
 * The link to the next page, as a member for the body: OpenStack's clients go
 * on by it. Never a `Link` header: they fail on that. Nothing for pages by
 * marker, whose readers go on by themselves.
 */
export function nextPageLink(
  request: FastifyRequest,
  originOf: OriginOf,
  list: string,
  page: PageRequest,
  total: number,
): Record<string, readonly { rel: string; href: string }[]> {
  const next = page.offset + page.limit;
  if (page.marker !== undefined || next >= total) return {};
  const [path = "", query] = (request.raw.url ?? "").split("?", 2);
  const parameters = new URLSearchParams(query);
  parameters.set("offset", String(next));
  parameters.set("limit", String(page.limit));
  const href = `${originOf(request)}${path}?${parameters}`;
  return { [`${list}_links`]: [{ rel: "next", href }] };
}
