/** Finds domains, projects and users by what clients know of them. */

import {
  type Domain,
  findNamed,
  type IdentityStore,
  type Project,
  type TokenRecord,
  type User,
} from "@carillon/core";
import { mayActIn, mayActInDomain } from "./permissions.ts";
import type { Principal } from "./principal.ts";

/** The domain that a first start makes. */
export const firstDomainName = "default";

/** A reference as Keystone requests have it: id or name. */
export interface Reference {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
}

/** A name is unique within its domain only. */
export interface ScopedReference extends Reference {
  readonly domain?: Reference | undefined;
}

/** What credentials are for: a project, a domain, or neither. */
export type TokenScope = Pick<TokenRecord, "projectId" | "domainId">;

export interface Directory {
  /**
   * By id before name. Keystone gives its first domain the id `default`, and
   * tools write it: it finds the one that is named so here, unless another has
   * that very id.
   */
  findDomain(reference: Reference): Promise<Domain | undefined>;
  /** Without a domain a name must be unique over all domains. */
  findUser(reference: ScopedReference): Promise<User | undefined>;
  /**
   * The projects of a domain, by default the user's own, that the user may act
   * in.
   */
  listReachable(userId: string, domainId?: string): Promise<readonly Project[]>;
  /** The domains that the user's tokens can be for. */
  listReachableDomains(userId: string): Promise<readonly Domain[]>;
  /** By its id, in whatever domain it is. */
  findReachable(
    userId: string,
    projectId: string,
  ): Promise<Project | undefined>;
  /**
   * `undefined` when the user, its domain, the project or domain it is to act
   * in, or the project's domain are gone or disabled, or the user may not act
   * there.
   */
  toPrincipal(
    userId: string,
    scope: TokenScope,
  ): Promise<Principal | undefined>;
}

export function createDirectory(
  store: Pick<
    IdentityStore,
    | "findDomain"
    | "listDomains"
    | "findProject"
    | "listProjects"
    | "findUser"
    | "findUserByName"
  >,
): Directory {
  async function findDomain({ id, name }: Reference) {
    const known = id === undefined ? undefined : await store.findDomain(id);
    if (known) return known;
    const wanted =
      id === undefined ? name : id === firstDomainName ? id : undefined;
    if (wanted === undefined) return undefined;
    const domains = await store.listDomains();
    return findNamed(domains, wanted);
  }

  /** The domains a name is looked for in. */
  async function domainsOf(
    reference: Reference | undefined,
  ): Promise<readonly Domain[]> {
    if (reference === undefined) return await store.listDomains();
    const domain = await findDomain(reference);
    return domain ? [domain] : [];
  }

  async function findActiveUser(id: string) {
    const user = await store.findUser(id);
    if (!user || user.disabled) return undefined;
    const domain = await store.findDomain(user.domainId);
    return domain && !domain.disabled ? { user, domain } : undefined;
  }

  /** Unless it or its domain is disabled, or it is none of the user's. */
  async function findReachable(user: User, projectId: string) {
    const project = await store.findProject(projectId);
    if (!project || project.disabled || !mayActIn(user, project)) {
      return undefined;
    }
    const domain = await store.findDomain(project.domainId);
    return domain && !domain.disabled ? { project, domain } : undefined;
  }

  /** Unless it is disabled, or none of the user's. */
  async function findReachableDomain(user: User, domainId: string) {
    const domain = await store.findDomain(domainId);
    const isReachable =
      domain && !domain.disabled && mayActInDomain(user, domain);
    return isReachable ? domain : undefined;
  }

  return {
    findDomain,
    async listReachable(userId, domainId) {
      const found = await findActiveUser(userId);
      if (!found) return [];
      const domain =
        domainId === undefined || domainId === found.domain.id
          ? found.domain
          : await store.findDomain(domainId);
      if (!domain || domain.disabled) return [];
      const projects = await store.listProjects();
      return projects.filter(
        (project) =>
          project.domainId === domain.id &&
          !project.disabled &&
          mayActIn(found.user, project),
      );
    },
    async listReachableDomains(userId) {
      const found = await findActiveUser(userId);
      if (!found) return [];
      const domains = await store.listDomains();
      return domains.filter(
        (domain) => !domain.disabled && mayActInDomain(found.user, domain),
      );
    },
    async findReachable(userId, projectId) {
      const found = await findActiveUser(userId);
      return found && (await findReachable(found.user, projectId))?.project;
    },
    async findUser({ id, name, domain }) {
      if (id !== undefined) return await store.findUser(id);
      if (name === undefined) return undefined;
      const domains = await domainsOf(domain);
      const users = await Promise.all(
        domains.map((each) => store.findUserByName(each.id, name)),
      );
      return only(users.filter((user) => user !== undefined));
    },
    async toPrincipal(userId, { projectId, domainId }) {
      const found = await findActiveUser(userId);
      if (!found) return undefined;
      const { user, domain } = found;
      const scopedDomain =
        domainId === undefined
          ? undefined
          : await findReachableDomain(user, domainId);
      if (domainId !== undefined && !scopedDomain) return undefined;
      const scope =
        projectId === undefined
          ? undefined
          : await findReachable(user, projectId);
      if (projectId !== undefined && !scope) return undefined;
      return {
        userId: user.id,
        userName: user.name,
        domainId: domain.id,
        domainName: domain.name,
        role: user.role,
        ...(scopedDomain && {
          scopedDomain: { id: scopedDomain.id, name: scopedDomain.name },
        }),
        ...(scope && {
          project: {
            id: scope.project.id,
            name: scope.project.name,
            domainId: scope.domain.id,
            domainName: scope.domain.name,
          },
        }),
      };
    },
  };
}

function only<Item>(items: readonly Item[]): Item | undefined {
  return items.length === 1 ? items[0] : undefined;
}
