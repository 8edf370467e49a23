/** Finds domains, projects and users by what clients know of them. */

import type { Domain, IdentityStore, Project, User } from "@carillon/core";
import type { Principal } from "./principal.ts";

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
  findDomain(reference: Reference): Promise<Domain | undefined>;
  /** Without a domain a name must be unique over all domains. */
  findProject(reference: ScopedReference): Promise<Project | undefined>;
  findUser(reference: ScopedReference): Promise<User | undefined>;
  listProjects(domainId: string): Promise<readonly Project[]>;
  /** `undefined` when user or project are gone. */
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
    if (id !== undefined) return await store.findDomain(id);
    const domains = await store.listDomains();
    return domains.find((domain) => domain.name === name);
  }

  /** The domains a name is looked for in. */
  async function domainsOf(
    reference: Reference | undefined,
  ): Promise<readonly Domain[]> {
    if (reference === undefined) return await store.listDomains();
    const domain = await findDomain(reference);
    return domain ? [domain] : [];
  }

  async function listProjects(domainId: string) {
    const projects = await store.listProjects();
    return projects.filter((project) => project.domainId === domainId);
  }

  return {
    findDomain,
    listProjects,
    async findProject({ id, name, domain }) {
      if (id !== undefined) return await store.findProject(id);
      const domains = await domainsOf(domain);
      const projects = await Promise.all(
        domains.map((each) => listProjects(each.id)),
      );
      return only(projects.flat().filter((project) => project.name === name));
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
      const [user, project] = await Promise.all([
        store.findUser(userId),
        projectId === undefined ? undefined : store.findProject(projectId),
      ]);
      if (!user || (projectId !== undefined && !project)) return undefined;
      const domain = await store.findDomain(user.domainId);
      if (!domain) return undefined;
      return {
        userId: user.id,
        userName: user.name,
        domainId: domain.id,
        domainName: domain.name,
        ...(project && { project: { id: project.id, name: project.name } }),
      };
    },
  };
}

function only<Item>(items: readonly Item[]): Item | undefined {
  return items.length === 1 ? items[0] : undefined;
}
