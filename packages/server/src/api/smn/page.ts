/** Pages of lists, as SMN asks for them and as OpenStack's clients expect. */

import { CarillonError, type Page, type PageRequest } from "@carillon/core";
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

/** A page, and what the list is gone on with behind it. */
export interface ListedPage<Item> extends Page<Item> {
  readonly limit: number;
  /** Absent on the last page. */
  readonly last?: Item;
}

/** Reads one item more than the page has, to see whether it is the last. */
export async function listPage<Item>(
  page: PageRequest,
  list: (page: PageRequest) => Promise<Page<Item>>,
): Promise<ListedPage<Item>> {
  const { limit } = page;
  const { total, items: found } = await list({ ...page, limit: limit + 1 });
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { total, items, limit, ...(last !== undefined && { last }) };
}

/**
 * The link to the next page, as a member for the body: OpenStack's clients go
 * on by it. It goes by marker, since by offset a reader who deletes what it
 * gets would pass over as many. Never a `Link` header: they fail on that.
 */
export function nextPageLink<Item>(
  request: FastifyRequest,
  originOf: OriginOf,
  list: string,
  { last, limit }: ListedPage<Item>,
  markerOf: (item: Item) => string,
): Record<string, readonly { rel: string; href: string }[]> {
  if (last === undefined) return {};
  const [path = "", query] = (request.raw.url ?? "").split("?", 2);
  const parameters = new URLSearchParams(query);
  parameters.delete("offset");
  parameters.set("limit", String(limit));
  parameters.set("marker", markerOf(last));
  const href = `${originOf(request)}${path}?${parameters}`;
  return { [`${list}_links`]: [{ rel: "next", href }] };
}
