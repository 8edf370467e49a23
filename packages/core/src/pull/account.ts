/** What accounts of publishers and of subscribers have in common. */

import { CarillonError } from "../errors.ts";
import type { ProjectId } from "../ids.ts";
import type { IdentityStore } from "../ports/identity-store.ts";

/**
 * Secrets of accounts. They are long and random, so that a fast hash keeps them
 * as well as a slow one.
 */
export interface AccountSecrets {
  make(): string;
  /** In letters and digits. */
  hash(secret: string): string;
  /** Takes as long whatever the secret is. */
  matches(secret: string, hash: string): boolean;
}

interface Account {
  readonly projectId: ProjectId;
  readonly secretHash?: string;
  readonly disabled?: true;
}

/** Whether the secret is that of the account that was found. */
export type AccountCheck = (
  account: Account | undefined,
  secret: string,
) => Promise<boolean>;

/**
 * Builds the check. It compares with something even if there is no account, so
 * that its time does not tell which ids there are.
 */
export function createAccountCheck({
  store,
  secrets,
}: {
  readonly store: Pick<IdentityStore, "findProject" | "findDomain">;
  readonly secrets: AccountSecrets;
}): AccountCheck {
  const nobodys = secrets.hash(secrets.make());

  return async (account, secret) => {
    const isRight = secrets.matches(secret, account?.secretHash ?? nobodys);
    if (!isRight || account?.secretHash === undefined) return false;
    return (
      !account.disabled && (await isOpenProject(store, account.projectId, true))
    );
  };
}

/**
 * What was disabled by an administrator lets nobody in.
 *
 * @param absent of a project that there is not; default: it was deleted
 */
export async function isOpenProject(
  store: Pick<IdentityStore, "findProject" | "findDomain">,
  projectId: ProjectId,
  absent = false,
): Promise<boolean> {
  const project = await store.findProject(projectId);
  if (project === undefined) return absent;
  const domain = await store.findDomain(project.domainId);
  return !project.disabled && !domain?.disabled;
}

/**
 * The number that a page begins behind.
 *
 * @param after of an account, as text
 * @throws CarillonError PAGE_INVALID
 */
export function toPage({
  limit,
  after,
}: {
  readonly limit: number;
  readonly after?: string;
}): { readonly limit: number; readonly after?: number } {
  if (after === undefined) return { limit };
  if (/^[0-9]{1,15}$/.test(after)) return { limit, after: Number(after) };
  throw new CarillonError(
    "PAGE_INVALID",
    "Invalid after: the next of the page before is expected.",
  );
}
