/**
 * Filter policies as they stand in their column. Fan-out reads them for each
 * recipient of each message, and most subscriptions of a topic have one of a
 * few sets: what was parsed is kept by its text.
 */

import type { FilterPolicy } from "@carillon/core";
import { type Codec, type OptionalCodec, optional } from "./codec.ts";

/** Texts whose policies are kept, and none longer than that. */
const maxTexts = 4096;
const maxTextLength = 2048;

export class FilterPolicies {
  #current = new Map<string, readonly FilterPolicy[]>();
  /** What was kept when `#current` was last full; used ones move back. */
  #previous = new Map<string, readonly FilterPolicy[]>();

  /** NULL when there are none. */
  readonly codec: OptionalCodec<readonly FilterPolicy[]> = {
    ...optional(filterPolicies),
    decode: (json) => (json === null ? undefined : this.#parse(json as string)),
  };

  #parse(json: string): readonly FilterPolicy[] {
    const known = this.#current.get(json);
    if (known !== undefined) return known;
    const policies = this.#previous.get(json) ?? filterPolicies.decode(json);
    if (json.length <= maxTextLength) this.#keep(json, policies);
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

/** NULL when the list is empty. */
export const filterPolicies: Codec<readonly FilterPolicy[]> = {
  encode: (policies) =>
    policies.length === 0 ? null : JSON.stringify(policies),
  decode: (json) => JSON.parse(json as string) as FilterPolicy[],
};
