/** Ids that count, so that failures of tests can be read. */

import type { IdSource } from "@carillon/core";

/** 1, 2, 3, … in the shape of ids: later ones are greater. */
export function createCountingIds(): IdSource {
  let last = 0;
  // As with real ids, the kind is the caller's.
  return <Id extends string>() => (++last).toString(16).padStart(32, "0") as Id;
}
