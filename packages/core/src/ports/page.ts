/** Pages of long lists. */

/** Which part of a list is asked for. */
export interface PageRequest {
  /** How many to pass over; ignored when there is a marker. */
  readonly offset: number;
  readonly limit: number;
  /**
   * Id of the last item seen: the page starts behind it, even if it was deleted
   * since. Nothing is behind an unknown one.
   */
  readonly marker?: string;
}

/** A part of a list, with the size of the whole. */
export interface Page<Item> {
  /** How many match, whatever the page. */
  readonly total: number;
  readonly items: readonly Item[];
}
