/**
 * Filter policies as they stand in their column. Fan-out reads them for each
 * recipient of each message, and most subscriptions of a topic have one of a
 * few sets: what was parsed is kept by its text.
 */

import type { FilterPolicy } from "@carillon/core";

/** Texts whose policies are kept, and none longer than that. */
const maxTexts = 4096;
const maxTextLength = 2048;

export class FilterPolicies {
  #current = new Map<string, readonly FilterPolicy[]>();
  /** What was kept when `#current` was last full; used ones move back. */
  #previous = new Map<string, readonly FilterPolicy[]>();

  /** `undefined` when there are none. */
  parse(json: string | null): readonly FilterPolicy[] | undefined {
    if (json === null) return undefined;
    const known = this.#current.get(json);
    if (known !== undefined) return known;
    const policies = this.#previous.get(json) ?? toFilterPolicies(json);
    if (policies && json.length <= maxTextLength) this.#keep(json, policies);
    return policies;
  }

  #keep(json: string, policies: readonly FilterPolicy[]): void {
    if (this.#current.size >= maxTexts / 2) {
      this.#previous = this.#current;
      this.#current = new Map();
    }
    this.#current.set(json, policies);
  }
}

/** `undefined` when there are none. */
export function toFilterPolicies(
  json: string | null,
): readonly FilterPolicy[] | undefined {
  // Only toFilterPoliciesText writes this column.
  return json === null ? undefined : (JSON.parse(json) as FilterPolicy[]);
}

/** The column's value. */
export function toFilterPoliciesText(
  policies: readonly FilterPolicy[],
): string | null {
  return policies.length === 0 ? null : JSON.stringify(policies);
}
