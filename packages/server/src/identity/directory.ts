/** Finds domains, projects and users by what clients know of them. */

import type { Domain, IdentityStore, Project, User } from "@carillon/core";
import { mayActIn } from "./permissions.ts";
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

export interface Directory {
  /**
   * By id before name. Keystone calls its first domain `Default` and gives it
   * the id `default`, and tools write either: both find the one that is named
   * `default` here, unless another has that very id or name.
   */
  findDomain(reference: Reference): Promise<Domain | undefined>;
  /** Without a domain a name must be unique over all domains. */
  findUser(reference: ScopedReference): Promise<User | undefined>;
  /**
   * The projects of a domain, by default the user's own, that the user may act
   * in.
   */
  listReachable(userId: string, domainId?: string): Promise<readonly Project[]>;
  /** By its id, in whatever domain it is. */
  findReachable(
    userId: string,
    projectId: string,
  ): Promise<Project | undefined>;
  /**
   * `undefined` when user, project or their domain are gone or disabled, or
   * the user may not act in the project.
   */
  toPrincipal(
    userId: string,
    projectId: string | undefined,
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
    const domains = await store.listDomains();
    const named = (wanted: string | undefined) =>
      domains.find((domain) => domain.name === wanted);
    if (id !== undefined) {
      return id === firstDomainName ? named(firstDomainName) : undefined;
    }
    return (
      named(name) ?? (name === "Default" ? named(firstDomainName) : undefined)
    );
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
    async toPrincipal(userId, projectId) {
      const found = await findActiveUser(userId);
      if (!found) return undefined;
      const { user, domain } = found;
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
