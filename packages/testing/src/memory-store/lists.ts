/** Filters and pages of the in-memory store's lists. */

import type { Page, PageRequest, ProjectId } from "@carillon/core";

/** Whether each member of the filter that is set equals the item's. */
export function equals<Item extends object>(
  item: Item,
  filter: Partial<Record<keyof Item, unknown>>,
): boolean {
  return Object.entries(filter).every(
    ([name, value]) =>
      value === undefined || item[name as keyof Item] === value,
  );
}

/**
 * The number of the item a page starts behind. Deleted items are good markers:
 * they may have gone between two pages. NaN, behind which nothing comes, when
 * the marker is unknown.
 */
export function seqOfMarker(
  all: readonly { id: string; projectId: ProjectId; seq: number }[],
  projectId: ProjectId,
  { marker }: PageRequest,
): number {
  const item = all.find((it) => it.id === marker && it.projectId === projectId);
  return item?.seq ?? Number.NaN;
}

export function cutPage<Item>(
  items: readonly Item[],
  { offset, limit, marker }: PageRequest,
  isBehindMarker: (item: Item) => boolean,
): Page<Item> {
  const total = items.length;
  if (marker === undefined) {
    return { total, items: items.slice(offset, offset + limit) };
  }
  return { total, items: items.filter(isBehindMarker).slice(0, limit) };
}
