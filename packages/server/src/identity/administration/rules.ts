/** Rules that several kinds of identity have in common. */

import type { IdentityStore, Project, User, UserRole } from "@carillon/core";
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
 * Somebody must be left who can undo a mistake, with a key for the command
 * line.
 *
 * @param without what is about to stop working
 * @throws RequestError LAST_OPERATOR, LAST_OPERATOR_KEY
 */
export async function checkOperatorRemains(
  store: IdentityStore,
  without: {
    readonly userId?: string;
    readonly domainId?: string;
    readonly projectId?: string;
    readonly accessKey?: string;
  },
): Promise<void> {
  const isOn = ({ disabled }: { readonly disabled?: true }) => !disabled;
  const domains = idsOf((await store.listDomains()).filter(isOn));
  const operators = (await store.listUsers()).filter(
    (user) =>
      user.role === "operator" && isOn(user) && domains.has(user.domainId),
  );
  const remaining = operators.filter(
    ({ id, domainId }) =>
      id !== without.userId && domainId !== without.domainId,
  );
  if (remaining.length === 0) {
    throw new RequestError(
      "LAST_OPERATOR",
      "Nobody could manage domains after this: make another user an operator first. (Where none can log in any more, `carillon recover` helps.)",
    );
  }
  const projects = (await store.listProjects()).filter(
    (project) => isOn(project) && domains.has(project.domainId),
  );
  const projectIds = idsOf(projects);
  const keysOf = (users: readonly User[]) => {
    const userIds = idsOf(users);
    return keys.filter(({ userId }) => userIds.has(userId));
  };
  const keys = (await store.listAccessKeys()).filter(
    (key) => isOn(key) && projectIds.has(key.projectId),
  );
  const left = keysOf(remaining).filter(
    ({ accessKey, projectId }) =>
      accessKey !== without.accessKey &&
      projectId !== without.projectId &&
      domainOf(projects, projectId) !== without.domainId,
  );
  // Without any, there is none to lose.
  if (left.length > 0 || keysOf(operators).length === 0) return;
  throw new RequestError(
    "LAST_OPERATOR_KEY",
    "No operator would have an access key that works after this: create another first. (Where it is lost, `carillon recover` makes one.)",
  );
}

function idsOf(
  things: readonly { readonly id: string }[],
): ReadonlySet<string> {
  return new Set(things.map(({ id }) => id));
}

function domainOf(
  projects: readonly Project[],
  projectId: string,
): string | undefined {
  return projects.find(({ id }) => id === projectId)?.domainId;
}
