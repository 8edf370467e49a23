/** Users: who logs in, and in which projects. */

import type { Api } from "../api.ts";
import {
  findText,
  findTexts,
  type JsonObject,
  readBoolean,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { createResources, type Resources, type Switch } from "./resources.ts";

/** Somebody who can log in. */
export interface User extends JsonObject {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  /** `admin` or `member`. */
  readonly role: string;
  /** The projects it is assigned to. */
  readonly projectIds: readonly string[];
  readonly enabled: boolean;
}

/** A user whose password was just set. */
export interface UserWithPassword extends User {
  /** Only if it was made up; it is not shown again. */
  readonly password?: string | undefined;
}

/** What a new user needs. */
export interface NewUser {
  readonly name: string;
  /** Default `member`. */
  readonly role?: string | undefined;
  readonly projectIds?: readonly string[] | undefined;
  /** Default: the caller's. */
  readonly domainId?: string | undefined;
  /** Default: one is made up. */
  readonly password?: string | undefined;
}

/** What of a user is changed; what is absent stays. */
export type UserChange = Partial<Switch> & {
  readonly role?: string | undefined;
};

/** Creates, lists, changes and deletes users, and assigns projects to them. */
export interface Users extends Resources<User, UserChange> {
  create(user: NewUser, options?: RequestOptions): Promise<UserWithPassword>;
  /** Another password, made up unless given; the user is logged out. */
  rotate(
    id: string,
    password?: string,
    options?: RequestOptions,
  ): Promise<UserWithPassword>;
  /** Lets a user act in a project of its domain. */
  assign(
    id: string,
    projectId: string,
    options?: RequestOptions,
  ): Promise<User>;
  /** Its access keys for that project stop working. */
  unassign(
    id: string,
    projectId: string,
    options?: RequestOptions,
  ): Promise<User>;
}

export function createUsers(api: Api): Users {
  return {
    ...createResources(api, "users", "users", toUser),
    async create(body, options) {
      const request = { method: "POST", path: ["users"], body } as const;
      return toUserWithPassword((await api(request, options)).body);
    },
    async rotate(id, password, options) {
      const path = ["users", id, "rotate"];
      const body = { password };
      const request = { method: "POST", path, body } as const;
      return toUserWithPassword((await api(request, options)).body);
    },
    async assign(id, projectId, options) {
      const path = ["users", id, "projects", projectId];
      return toUser((await api({ method: "PUT", path }, options)).body);
    },
    async unassign(id, projectId, options) {
      const path = ["users", id, "projects", projectId];
      return toUser((await api({ method: "DELETE", path }, options)).body);
    },
  };
}

function toUser(body: JsonObject): User {
  return {
    ...body,
    id: readText(body, "id"),
    name: readText(body, "name"),
    domainId: readText(body, "domainId"),
    role: readText(body, "role"),
    projectIds: findTexts(body, "projectIds"),
    enabled: readBoolean(body, "enabled"),
  };
}

function toUserWithPassword(body: JsonObject): UserWithPassword {
  return { ...toUser(body), password: findText(body, "password") };
}
