/** Subscriptions as they stand in their table. */

import type {
  AddressBook,
  ProjectId,
  Subscription,
  SubscriptionExtension,
  SubscriptionId,
  SubscriptionSignature,
  SubscriptionStatus,
  SubscriptionUser,
} from "@carillon/core";
import {
  type Codec,
  code,
  computed,
  epochMs,
  integer,
  json,
  named,
  type OptionalCodec,
  optional,
  text,
  textOf,
  truth,
} from "./codec.ts";
import { stateCodes } from "./codes.ts";
import { type FilterPolicies, filterPolicies } from "./filter-policies.ts";
import { statusCodes, toSubscriptionStatus } from "./subscription-status.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

export const status: Codec<SubscriptionStatus> = {
  encode: (value) => value,
  decode: (value) => toSubscriptionStatus(value as number),
};

/** NULL when it is empty. */
const extension: Codec<SubscriptionExtension> = {
  encode: (value) =>
    Object.keys(value).length === 0 ? null : JSON.stringify(value),
  decode: (value) =>
    value === null
      ? {}
      : (JSON.parse(value as string) as SubscriptionExtension),
};

const shape = {
  seq: integer,
  id: textOf<SubscriptionId>(),
  topicSeq: integer,
  topicName: computed("topics.name", text),
  projectId: textOf<ProjectId>(),
  protocol: text,
  endpoint: text,
  remark: text,
  status,
  extension,
  filterPolicies: optional(filterPolicies),
  signature: optional(json<SubscriptionSignature>()),
  generation: integer,
  codeExpiresAt: optional(epochMs),
  createdAt: epochMs,
  mailbox: optional(integer),
};

/** A signature as its column has it. */
export const encodeSignature = shape.signature.encode;

export type SubscriptionRow = RowOf<Subscription>;

/** Rows of {@link subscriptionTables}. */
export const subscriptions = defineTable("subscriptions", shape);
export const newSubscriptions = defineTable(
  "subscriptions",
  omit(
    shape,
    "seq",
    "topicName",
    "filterPolicies",
    "generation",
    "codeExpiresAt",
  ),
);

/** A subscription comes with the name of its topic. */
export const subscriptionTables = `subscriptions
  JOIN topics ON topics.seq = subscriptions.topic_seq`;

export type SubscriptionUserRow = RowOf<SubscriptionUser>;

export const subscriptionUsers = defineTable("subscription_users", {
  id: text,
  projectId: textOf<ProjectId>(),
  domainId: text,
  name: text,
  protocol: text,
  endpoint: text,
  remark: text,
  createdAt: epochMs,
});

/** The columns that say whose address book an entry is in. */
type AddressBookColumn = "project_id" | "domain_id";

/** Makes the same for each of them. */
export function addressBookColumns<Made>(
  make: (column: AddressBookColumn) => Made,
): Readonly<Record<AddressBookColumn, Made>> {
  return { project_id: make("project_id"), domain_id: make("domain_id") };
}

export function addressBookOf(
  book: AddressBook,
): [column: AddressBookColumn, owner: string] {
  return book.kind === "project"
    ? ["project_id", book.projectId]
    : ["domain_id", book.domainId];
}

/** Set for those who were subscribed when their topic was deleted. */
const cancelled: OptionalCodec<true> = {
  isOptional: true,
  encode: (value) => (value ? statusCodes.deletedWithTopic : null),
  decode: (value) =>
    value === statusCodes.deletedWithTopic ? true : undefined,
};

/** Subscriptions as the recipients of a message to their topic. */
export function defineAudience(filters: FilterPolicies) {
  return defineTable("subscriptions", {
    target: named("seq", integer),
    protocol: text,
    endpoint: text,
    subscriptionId: named("id", optional(textOf<SubscriptionId>())),
    generation: optional(integer),
    extension: optional(json<SubscriptionExtension>()),
    mailbox: optional(integer),
    signature: optional(json<SubscriptionSignature>()),
    filterPolicies: filters.codec,
    cancelled: named("status", cancelled),
  });
}

/**
 * Other subscriptions (s) of a message's recipients (own), with their topic among
 * those of the message (t) and their delivery (d), if there is one.
 */
export function defineOtherSubscriptions(filters: FilterPolicies) {
  return defineTable("subscriptions", {
    /** Number of the recipient's subscription. */
    of: computed("own.seq", integer),
    topicPosition: computed("t.position", integer),
    isActive: computed("s.status IN (1, 2)", truth),
    filterPolicies: filters.codec,
    state: computed("d.state", optional(code(stateCodes))),
    isWithdrawn: computed(
      `d.state = ${stateCodes.cancelled} AND EXISTS (
         SELECT 1 FROM delivery_actions AS a
         WHERE a.message_seq = d.message_seq AND a.target = d.target
           AND a.to_state = d.state)`,
      optional(truth),
    ),
  });
}
