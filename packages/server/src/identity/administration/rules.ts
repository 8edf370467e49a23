/** Rules that several kinds of identity have in common. */

import type { IdentityStore, UserRole } from "@carillon/core";
import { RequestError } from "../../errors.ts";
import { isReached, type Reach } from "../permissions.ts";

/** @throws RequestError IDENTITY_INVALID */
export function checkName(name: string): string {
  if (/^[^\p{Cc}\p{Zl}\p{Zp}]{1,64}$/u.test(name) && name.trim() === name) {
    return name;
  }
  throw new RequestError(
    "IDENTITY_INVALID",
    "Invalid name: 1 to 64 characters on one line are expected, without spaces at the ends.",
  );
}

/** @throws RequestError IDENTITY_NOT_FOUND */
export function found<Thing>(thing: Thing | undefined, what: string): Thing {
  if (thing !== undefined) return thing;
  throw new RequestError("IDENTITY_NOT_FOUND", `There is no such ${what}.`);
}

/**
 * For what is to be created in a domain.
 *
 * @throws RequestError IDENTITY_INVALID
 */
export async function checkDomain(
  store: IdentityStore,
  reach: Reach,
  domainId: string,
): Promise<void> {
  if (isReached(reach, { domainId }) && (await store.findDomain(domainId))) {
    return;
  }
  throw new RequestError("IDENTITY_INVALID", "No such domain.");
}

/**
 * Operators are made and changed by operators only: whoever sets the password
 * of one, or makes a key for it, can act as it.
 *
 * @throws RequestError PERMISSION_DENIED
 */
export function checkMayManage(reach: Reach, role: UserRole): void {
  if (role !== "operator" || reach.kind === "all") return;
  throw new RequestError(
    "PERMISSION_DENIED",
    "Only operators make and change operators and their access keys.",
  );
}

/** The record with that switch; equal to what it was before it was thrown. */
export function withSwitch<Thing extends { readonly disabled?: true }>(
  thing: Thing,
  enabled: boolean,
): Omit<Thing, "disabled"> & { readonly disabled?: true } {
  const { disabled: _, ...rest } = thing;
  return enabled ? rest : { ...rest, disabled: true };
}

/**
 * Somebody must be left who can undo a mistake.
 *
 * @param without the user or domain that is about to stop working
 * @throws RequestError LAST_OPERATOR
 */
export async function checkOperatorRemains(
  store: IdentityStore,
  without: { readonly userId?: string; readonly domainId?: string },
): Promise<void> {
  const domains = await store.listDomains();
  const working = new Set(
    domains
      .filter(({ id, disabled }) => !disabled && id !== without.domainId)
      .map(({ id }) => id),
  );
  const remains = (await store.listUsers()).some(
    (user) =>
      user.role === "operator" &&
      !user.disabled &&
      user.id !== without.userId &&
      working.has(user.domainId),
  );
  if (remains) return;
  throw new RequestError(
    "LAST_OPERATOR",
    "Nobody could manage domains after this: make another user an operator first.",
  );
}
