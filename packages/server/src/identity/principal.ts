/** Who makes a request, once it is known. */

import type { ProjectId, UserRole } from "@carillon/core";

/** Who sends a request, as its credentials say. */
export interface Principal {
  readonly userId: string;
  readonly userName: string;
  /** The domain of the user. */
  readonly domainId: string;
  readonly domainName: string;
  readonly role: UserRole;
  /** Set for access keys: they are good for their project, and no other. */
  readonly isKey?: true;
  /** Set for tokens that are scoped to a domain: they have no project. */
  readonly scopedDomain?: { readonly id: string; readonly name: string };
  /** Absent for tokens without a project. */
  readonly project?: {
    readonly id: ProjectId;
    readonly name: string;
    /** Another one than the user's only for operators. */
    readonly domainId: string;
    readonly domainName: string;
  };
}

/** Why a request is nobody's. Never says whether a user or key exists. */
export type AuthenticationFailure =
  /** No credentials came. */
  | "missing"
  /** The credentials cannot be read. */
  | "malformed"
  /** The signature's date is too far from this clock. */
  | "clock_skew"
  /** Wrong, unknown, expired or revoked: the caller does not learn which. */
  | "rejected";

export type Authentication =
  | { readonly principal: Principal }
  | { readonly failure: AuthenticationFailure };
