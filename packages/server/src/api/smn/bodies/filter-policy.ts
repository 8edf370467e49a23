/** Filter policies as SMN writes them. */

import {
  CarillonError,
  checkFilterPolicies,
  type FilterPolicy,
  type FilterPolicyRequest,
  type Subscription,
} from "@carillon/core";

/**
 * Reads a subscription's `filter_polices`; unknown members are ignored.
 *
 * @throws CarillonError FILTER_POLICY_INVALID
 */
export function readFilterPolicies(body: unknown): FilterPolicy[] {
  if (!Array.isArray(body)) throw invalid("a list is expected");
  return checkFilterPolicies(body.map(readPolicy));
}

/** A subscription's policies as lists show them. */
export function toFilterPolicyBodies({ filterPolicies = [] }: Subscription) {
  return filterPolicies.map(({ name, stringEquals }) => ({
    name,
    string_equals: stringEquals,
  }));
}

function readPolicy(body: unknown): FilterPolicyRequest {
  if (typeof body !== "object" || body === null) {
    throw invalid("each is an object of name and string_equals");
  }
  return {
    name: "name" in body ? body.name : undefined,
    stringEquals: "string_equals" in body ? body.string_equals : undefined,
  };
}

function invalid(rule: string): CarillonError {
  return new CarillonError(
    "FILTER_POLICY_INVALID",
    `Invalid filter policies: ${rule}.`,
  );
}
