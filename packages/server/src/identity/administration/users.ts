/** Users: who logs in, and in which projects. */

import { randomBytes } from "node:crypto";
import {
  type ConcurrencyLimit,
  filterNamed,
  identityExists,
  loadOnce,
  type ProjectId,
  type User,
  type UserRole,
} from "@carillon/core";
import { RequestError } from "../../errors.ts";
import {
  chosenPasswordParameters,
  generatedPasswordParameters,
  hashPassword,
} from "../passwords.ts";
import { isReached } from "../permissions.ts";
import type { AdministrationContext } from "./administration.ts";
import {
  checkDomain,
  checkMayManage,
  checkName,
  checkOperatorRemains,
  found,
  withSwitch,
} from "./rules.ts";

export interface NewUser {
  readonly name: string;
  readonly domainId: string;
  readonly role: UserRole;
  readonly projectIds: readonly string[];
  /** Default: one is made up. */
  readonly password?: string | undefined;
}

/** A user whose password was just set. */
export interface UserWithPassword {
  readonly user: User;
  /** Only if it was made up; it cannot be read again. */
  readonly password?: string;
}

export interface UserFilter {
  readonly domainId?: string | undefined;
  readonly name?: string | undefined;
}

export interface UserAdministration {
  /** @throws RequestError IDENTITY_INVALID, PERMISSION_DENIED; CarillonError IDENTITY_EXISTS */
  create(user: NewUser): Promise<UserWithPassword>;
  list(filter: UserFilter): Promise<readonly User[]>;
  /** @throws RequestError IDENTITY_NOT_FOUND */
  get(id: string): Promise<User>;
  /**
   * Who is disabled is logged out; access keys rest until it is enabled.
   *
   * @throws RequestError IDENTITY_NOT_FOUND, LAST_OPERATOR, LAST_OPERATOR_KEY,
   * PERMISSION_DENIED
   */
  change(
    id: string,
    change: {
      readonly enabled?: boolean | undefined;
      readonly role?: UserRole | undefined;
    },
  ): Promise<User>;
  /** @throws RequestError IDENTITY_NOT_FOUND, IDENTITY_INVALID, PERMISSION_DENIED */
  assign(id: string, projectId: string): Promise<User>;
  /** Unassigned ones are fine. @throws RequestError IDENTITY_NOT_FOUND, PERMISSION_DENIED */
  unassign(id: string, projectId: string): Promise<User>;
  /**
   * Another password, made up by default; the user is logged out.
   *
   * @throws RequestError IDENTITY_NOT_FOUND, IDENTITY_INVALID, PERMISSION_DENIED
   */
  rotate(id: string, password?: string): Promise<UserWithPassword>;
  /**
   * With its access keys.
   *
   * @throws RequestError IDENTITY_NOT_FOUND, LAST_OPERATOR, LAST_OPERATOR_KEY,
   * PERMISSION_DENIED
   */
  delete(id: string): Promise<void>;
}

export function createUserAdministration({
  store,
  newId,
  hashes,
  change,
  reach,
}: AdministrationContext): UserAdministration {
  const isHere = ({ domainId }: User) => isReached(reach, { domainId });
  const get = async (id: string) => {
    const user = await store.findUser(id);
    return found(user && isHere(user) ? user : undefined, "user");
  };

  /** For changes of it. */
  async function getManaged(id: string): Promise<User> {
    const user = await get(id);
    checkMayManage(reach, user.role);
    return user;
  }

  /** @throws RequestError IDENTITY_INVALID */
  async function checkProject(
    domainId: string,
    projectId: string,
  ): Promise<ProjectId> {
    const project = await store.findProject(projectId);
    if (project?.domainId === domainId) return project.id;
    throw new RequestError(
      "IDENTITY_INVALID",
      `The user's domain has no project ${projectId}.`,
    );
  }

  return {
    get,
    async list({ domainId, name }) {
      const all = (await store.listUsers()).filter(
        (user) =>
          isHere(user) &&
          (domainId === undefined || user.domainId === domainId),
      );
      return name === undefined ? all : filterNamed(all, name);
    },
    async create({ name, domainId, role, projectIds: asked, password }) {
      checkName(name);
      checkMayManage(reach, role);
      checkPassword(password);
      // Hashed once, however often the change is decided anew.
      const secret = loadOnce(() => makeSecret(hashes, password));
      return await change(async (version) => {
        await checkDomain(store, reach, domainId);
        const projectIds: ProjectId[] = [];
        for (const projectId of asked) {
          projectIds.push(await checkProject(domainId, projectId));
        }
        if (await store.findUserByName(domainId, name)) {
          throw identityExists("user", name);
        }
        // Last, because it is what costs.
        const { passwordHash, result } = await secret();
        const id = newId();
        const user = { id, name, domainId, passwordHash, role, projectIds };
        await store.putUser(user, version);
        return { user, ...result };
      });
    },
    change: (id, { enabled, role }) =>
      change(async (version) => {
        const known = await getManaged(id);
        const user = {
          ...withSwitch(known, enabled ?? !known.disabled),
          role: role ?? known.role,
        };
        checkMayManage(reach, user.role);
        if (user.disabled || user.role !== "operator") {
          if (known.role === "operator" && !known.disabled) {
            await checkOperatorRemains(store, { userId: id });
          }
        }
        await store.putUser(user, version);
        if (user.disabled) await store.deleteTokens(id);
        return user;
      }),
    assign: (id, projectId) =>
      change(async (version) => {
        const known = await getManaged(id);
        const checked = await checkProject(known.domainId, projectId);
        const projectIds = [...new Set([...known.projectIds, checked])].sort();
        const user = { ...known, projectIds };
        await store.putUser(user, version);
        return user;
      }),
    unassign: (id, projectId) =>
      change(async (version) => {
        const known = await getManaged(id);
        const user = {
          ...known,
          projectIds: known.projectIds.filter((one) => one !== projectId),
        };
        await store.putUser(user, version);
        return user;
      }),
    async rotate(id, password) {
      checkPassword(password);
      const secret = loadOnce(() => makeSecret(hashes, password));
      return await change(async (version) => {
        const known = await getManaged(id);
        const { passwordHash, result } = await secret();
        const user = { ...known, passwordHash };
        await store.putUser(user, version);
        await store.deleteTokens(id);
        return { user, ...result };
      });
    },
    delete: (id) =>
      change(async (version) => {
        const { role, disabled } = await getManaged(id);
        if (role === "operator" && !disabled) {
          await checkOperatorRemains(store, { userId: id });
        }
        await store.deleteUser(id, version);
      }),
  };
}

/** @throws RequestError IDENTITY_INVALID */
function checkPassword(given: string | undefined): void {
  if (given === undefined || (given.length >= 8 && given.length <= 1024)) {
    return;
  }
  throw new RequestError(
    "IDENTITY_INVALID",
    "Invalid password: 8 to 1024 characters are expected.",
  );
}

/** Of a password that was checked; one is made up when none is given. */
async function makeSecret(
  hashes: ConcurrencyLimit,
  given: string | undefined,
): Promise<{
  readonly passwordHash: string;
  readonly result: { readonly password?: string };
}> {
  const password = given ?? randomBytes(18).toString("base64url");
  const parameters =
    given === undefined
      ? generatedPasswordParameters
      : chosenPasswordParameters;
  return {
    passwordHash: await hashPassword(hashes, password, parameters),
    result: given === undefined ? { password } : {},
  };
}
