/** Pages of long lists. */

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

export interface Page<Item> {
  /** How many match, whatever the page. */
  readonly total: number;
  readonly items: readonly Item[];
}
