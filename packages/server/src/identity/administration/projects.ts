/** Projects: tenants, which own topics and messages. */

import { CarillonError, type Project, type ProjectId } from "@carillon/core";
import { RequestError } from "../../errors.ts";
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

export interface NewProject {
  readonly name: string;
  readonly domainId: string;
  /** 32 hexadecimal characters, such as an id of before; default a new one. */
  readonly id?: string | undefined;
}

export interface ProjectAdministration {
  /** @throws RequestError IDENTITY_INVALID; CarillonError IDENTITY_EXISTS */
  create(project: NewProject): Promise<Project>;
  list(filter: {
    readonly domainId?: string | undefined;
  }): Promise<readonly Project[]>;
  /** @throws RequestError IDENTITY_NOT_FOUND */
  get(id: string): Promise<Project>;
  /**
   * Nobody acts in it while it is disabled; what it has published is still
   * delivered.
   *
   * @throws RequestError IDENTITY_NOT_FOUND, LAST_OPERATOR_KEY
   */
  setEnabled(id: string, enabled: boolean): Promise<Project>;
  /**
   * Deletes a project without topics, with its access keys, templates, keys and
   * address book.
   *
   * @throws RequestError IDENTITY_NOT_FOUND, IDENTITY_IN_USE,
   * LAST_OPERATOR_KEY
   */
  delete(id: string): Promise<void>;
}

export function createProjectAdministration({
  store,
  newId,
  clock,
  keys,
  change,
  reach,
}: AdministrationContext): ProjectAdministration {
  const isHere = (project: Project) => isReached(reach, project);
  const get = async (id: string) => {
    const project = await store.findProject(id);
    return found(project && isHere(project) ? project : undefined, "project");
  };
  return {
    get,
    async list({ domainId }) {
      const all = (await store.listProjects()).filter(isHere);
      return domainId === undefined
        ? all
        : all.filter((project) => project.domainId === domainId);
    },
    create: ({ name, domainId, id = newId() }) =>
      change(async (version) => {
        if (!/^[0-9a-f]{32}$/.test(id)) {
          throw new RequestError(
            "IDENTITY_INVALID",
            "Invalid project id: 32 hexadecimal characters in lower case are expected.",
          );
        }
        await checkDomain(store, reach, domainId);
        // Just checked.
        const project = {
          id: id as ProjectId,
          name: checkName(name),
          domainId,
        };
        if (await store.isDeletedProject(id)) {
          throw new CarillonError(
            "IDENTITY_EXISTS",
            `A project with id ${id} was deleted; what was published in it is kept. Choose another id.`,
          );
        }
        if (await store.findProject(id)) {
          throw new CarillonError(
            "IDENTITY_EXISTS",
            `There is a project with id ${id} already.`,
          );
        }
        await store.putProject(project, version);
        return project;
      }),
    setEnabled: (id, enabled) =>
      change(async (version) => {
        const project = withSwitch(await get(id), enabled);
        if (!enabled) await checkKeys(project.id);
        await store.putProject(project, version);
        return project;
      }),
    delete: (id) =>
      change(async (version) => {
        const project = await get(id);
        await checkKeys(project.id);
        // Its id is not given to others from then on: it stands in every URN,
        // and what was published is kept.
        if (!(await store.deleteProject(project.id, clock.now(), version))) {
          throw new RequestError(
            "IDENTITY_IN_USE",
            "The project has topics: delete them first, or disable the project.",
          );
        }
        // Does not fail: the project is gone, and the audit log is to say so.
        await keys.deleteProject(project.id);
      }),
  };

  /** Operators' keys stop working with their project. */
  async function checkKeys(projectId: ProjectId): Promise<void> {
    for (const key of await store.listAccessKeys()) {
      if (key.projectId !== projectId) continue;
      const user = await store.findUser(key.userId);
      if (user) checkMayManage(reach, user.role);
    }
    await checkOperatorRemains(store, { projectId });
  }
}
