/**
 * Somebody who can be subscribed to topics by an id: an entry in the address
 * book of a project. Deleting one leaves its subscriptions as they are.
 */

import type { ProjectId } from "../ids.ts";
import type { EpochMs } from "../time.ts";
import type { Protocol } from "./protocol.ts";

/** An entry of a project's address book. */
export interface SubscriptionUser {
  readonly id: string;
  readonly projectId: ProjectId;
  /** The project's. */
  readonly domainId: string;
  readonly name: string;
  readonly protocol: Protocol;
  readonly endpoint: string;
  readonly remark: string;
  readonly createdAt: EpochMs;
}

/** A project's address book, or those of all projects of a domain. */
export type AddressBook =
  | { readonly kind: "project"; readonly projectId: ProjectId }
  | { readonly kind: "domain"; readonly domainId: string };

/** Subscription users of a project, at most. */
export const defaultSubscriptionUsersPerProject = 10_000;
