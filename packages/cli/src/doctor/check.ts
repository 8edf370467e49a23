/** What a check of the doctor answers. */

export interface Finding {
  /** What was looked at, in a few words. */
  readonly check: string;
  /** `skipped`: there was nothing to look at. */
  readonly result: "ok" | "warning" | "failed" | "skipped";
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}
