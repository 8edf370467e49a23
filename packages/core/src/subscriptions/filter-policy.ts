/**
 * Filter policies: with them a subscription says which messages it wants.
 * Fan-out asks for every subscription of a topic, so a message's attributes
 * are compiled once and a decision allocates nothing.
 */

import { CarillonError } from "../errors.ts";
import type { MessageAttribute } from "../messages/message.ts";
import {
  isAttributeName,
  isAttributeValueList,
  maxAttributeValues,
} from "../messages/message-attributes.ts";
import type { Protocol } from "./protocol.ts";

/** The message's attribute `name` must have one of these values. */
export interface FilterPolicy {
  readonly name: string;
  /** Compared exactly: case counts, and so does Unicode normalization. */
  readonly stringEquals: readonly string[];
}

/** A policy as an owner hands it over; unchecked. */
export interface FilterPolicyRequest {
  readonly name: unknown;
  readonly stringEquals: unknown;
}

/** A message's attributes in the form that decisions are made from. */
export interface CompiledAttributes {
  /** Absent when the message goes to every protocol. */
  readonly protocols?: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What kept a message from a subscription: its protocol, or this policy. */
export type FilterMismatch = "protocol" | FilterPolicy;

/** Policies of one subscription. */
export const maxFilterPolicies = 5;

/** Subscriptions of one call that sets or removes policies. */
export const maxFilterPolicyBatch = 100;

/**
 * Checks what is to become a subscription's policies.
 *
 * @throws CarillonError FILTER_POLICY_INVALID
 */
export function checkFilterPolicies(
  policies: readonly FilterPolicyRequest[],
): FilterPolicy[] {
  if (policies.length < 1 || policies.length > maxFilterPolicies) {
    throw invalid(`a list of 1 to ${maxFilterPolicies} is expected`);
  }
  const checked = policies.map(checkPolicy);
  if (new Set(checked.map(({ name }) => name)).size < checked.length) {
    throw invalid("names are unique");
  }
  return checked;
}

/** To be done once per message. */
export function compileAttributes(
  attributes: readonly MessageAttribute[] = [],
): CompiledAttributes {
  const values = new Map<string, ReadonlySet<string>>();
  let protocols: ReadonlySet<string> | undefined;
  for (const { name, type, value } of attributes) {
    const set = new Set(typeof value === "string" ? [value] : value);
    values.set(name, set);
    if (type === "PROTOCOL") protocols = set;
  }
  return { values, ...(protocols && { protocols }) };
}

/**
 * What keeps a message from a subscription; `undefined`: it gets the message, for
 * its protocol is among those the message is meant for, and every policy finds
 * one of its values in the message's attribute of that name.
 */
export function findMismatch(
  policies: readonly FilterPolicy[],
  protocol: Protocol,
  attributes: CompiledAttributes,
): FilterMismatch | undefined {
  const { protocols, values } = attributes;
  if (protocols !== undefined && !protocols.has(protocol)) return "protocol";
  for (const policy of policies) {
    const present = values.get(policy.name);
    if (present === undefined || !hasAny(present, policy.stringEquals)) {
      return policy;
    }
  }
  return undefined;
}

/** The text for the delivery's explanation. */
export function describeMismatch(mismatch: FilterMismatch): string {
  return mismatch === "protocol"
    ? "The message is meant for other protocols."
    : `The message's attribute ${mismatch.name} is none of: ${mismatch.stringEquals.join(", ")}.`;
}

function hasAny(set: ReadonlySet<string>, values: readonly string[]): boolean {
  for (const value of values) if (set.has(value)) return true;
  return false;
}

function checkPolicy({
  name,
  stringEquals,
}: FilterPolicyRequest): FilterPolicy {
  if (!isAttributeName(name) || name.startsWith("smn_")) {
    throw invalid(
      "names are 1 to 32 of a-z, 0-9 and single underscores between them, and do not start with smn_",
    );
  }
  if (!isAttributeValueList(stringEquals)) {
    throw invalid(
      `a policy's values are a list of 1 to ${maxAttributeValues} different texts of 1 to 32 letters, digits or underscores`,
    );
  }
  return { name, stringEquals };
}

function invalid(rule: string): CarillonError {
  return new CarillonError(
    "FILTER_POLICY_INVALID",
    `Invalid filter policies: ${rule}.`,
  );
}
