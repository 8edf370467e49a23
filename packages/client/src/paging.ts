/** Walks a paged list to its end, one page at a time. */

/** How a list is walked. */
export interface PagingOptions {
  /** Items per request, 1 to 100. Default 100. */
  readonly limit?: number | undefined;
  /** How many items to pass over at the start. Default 0. */
  readonly offset?: number | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** How many there are on all pages, if the service says so. */
  readonly total?: number | undefined;
}

export interface PageRequest {
  readonly limit: number;
  readonly offset: number;
  /** Id of the last item of the page before. */
  readonly marker?: string | undefined;
}

/**
 * Each request names both offset and marker: services that know the marker go
 * by it, and then items that come and go meanwhile neither hide nor repeat
 * others; the rest go by the offset. The next page is asked for before the last
 * item of a page is handed out, so a caller who deletes what it gets does not
 * delete the marker. Ends also with services that ignore all of it.
 */
export async function* paginate<T>(
  fetchPage: (request: PageRequest) => Promise<Page<T>>,
  idOf: (item: T) => string,
  options: PagingOptions = {},
): AsyncGenerator<T, void, undefined> {
  const { limit = 100 } = options;
  let offset = options.offset ?? 0;
  let mostTotal = 0;
  let knowsMarker = true;
  let previousIds: ReadonlySet<string> = new Set();
  let page = await fetchPage({ limit, offset });
  for (;;) {
    const { items, total } = page;
    // What was on the page before comes again when items moved back.
    const fresh = items.filter((item) => !previousIds.has(idOf(item)));
    const last = fresh.at(-1);
    if (last === undefined) return;
    yield* fresh.slice(0, -1);
    offset += items.length;
    // The caller may be deleting: the first total is how many there were.
    mostTotal = Math.max(mostTotal, total ?? 0);
    const isLast =
      total === undefined ? items.length < limit : offset >= mostTotal;
    if (isLast) {
      yield last;
      return;
    }
    previousIds = new Set(items.map(idOf));
    const marker = knowsMarker ? idOf(last) : undefined;
    page = await fetchPage({ limit, offset, marker });
    if (marker && page.items.length === 0 && (page.total ?? 0) > offset) {
      // Someone deleted the marker: go on by offset, as many items further
      // forward as are gone.
      knowsMarker = false;
      offset = Math.max(0, offset - (mostTotal - (page.total ?? 0)));
      page = await fetchPage({ limit, offset });
    }
    yield last;
  }
}
