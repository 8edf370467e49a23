/** Projects: each owns topics and messages. */

import type { Api } from "../api.ts";
import { type JsonObject, readBoolean, readText } from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { createResources, type Resources, type Switch } from "./resources.ts";

/** A project: the owner of topics and messages. */
export interface Project extends JsonObject {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly enabled: boolean;
}

/** What a new project needs. */
export interface NewProject {
  readonly name: string;
  /** 32 hexadecimal digits, such as the project's id elsewhere. */
  readonly id?: string | undefined;
  /** Default: the caller's. */
  readonly domainId?: string | undefined;
}

/** Creates, lists, changes and deletes projects. */
export interface Projects extends Resources<Project, Switch> {
  create(project: NewProject, options?: RequestOptions): Promise<Project>;
}

export function createProjects(api: Api): Projects {
  return {
    ...createResources(api, "projects", "projects", toProject),
    async create(body, options) {
      const request = { method: "POST", path: ["projects"], body } as const;
      return toProject((await api(request, options)).body);
    },
  };
}

function toProject(body: JsonObject): Project {
  return {
    ...body,
    id: readText(body, "id"),
    name: readText(body, "name"),
    domainId: readText(body, "domainId"),
    enabled: readBoolean(body, "enabled"),
  };
}
