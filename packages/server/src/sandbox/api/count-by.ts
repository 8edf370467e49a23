/** How many items there are of each key, in the order keys first came. */
export function countBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): [key: string, count: number][] {
  return [...Map.groupBy(items, keyOf)].map(([key, group]) => [
    key,
    group.length,
  ]);
}
