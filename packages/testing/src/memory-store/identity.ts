/** Projects, users, keys, tokens and settings of the in-memory store. */

import {
  findNamed,
  type IdentityStore,
  identityExists,
  isSameIdentityName,
} from "@carillon/core";
import { listTopics } from "./directory.ts";
import type { Table, Tables } from "./tables.ts";

export function createIdentityStore(tables: Tables): IdentityStore {
  const {
    domains,
    projects,
    deletedProjects,
    users,
    accessKeys,
    tokens,
    settings,
    subscriptionUsers,
    failingEndpoints,
    templates,
    deletedTemplates,
    write,
  } = tables;
  return {
    putDomain: (domain) => write(() => putNamed(domains, "domain", domain)),
    putProject: (project) =>
      write(() => {
        putNamed(projects, "project", project);
        deletedProjects.delete(project.id);
      }),
    putUser: (user) =>
      write(() => {
        const projectIds = [...new Set(user.projectIds)].sort();
        putNamed(users, "user", { ...user, projectIds });
      }),
    putAccessKey: (key) =>
      write(() => {
        accessKeys.put(key.accessKey, key);
      }),
    deleteDomain: (id) =>
      write(() => {
        const members = [...projects.list(), ...users.list()];
        if (members.some(({ domainId }) => domainId === id)) return false;
        domains.delete(id);
        return true;
      }),
    deleteProject: (id) =>
      write(() => {
        if (listTopics(tables, id).length > 0) return false;
        projects.delete(id);
        deletedProjects.put(id, {});
        for (const { seq, projectId } of templates.list()) {
          if (projectId === id) deletedTemplates.put(seq, {});
        }
        accessKeys.deleteWhere(({ projectId }) => projectId === id);
        tokens.deleteWhere(({ projectId }) => projectId === id);
        subscriptionUsers.deleteWhere(({ projectId }) => projectId === id);
        failingEndpoints.deleteWhere(({ projectId }) => projectId === id);
        for (const user of users.list()) {
          const projectIds = user.projectIds.filter((other) => other !== id);
          users.put(user.id, { ...user, projectIds });
        }
        return true;
      }),
    isDeletedProject: async (id) => deletedProjects.has(id),
    deleteUser: (id) =>
      write(() => {
        users.delete(id);
        accessKeys.deleteWhere(({ userId }) => userId === id);
        tokens.deleteWhere(({ userId }) => userId === id);
      }),
    deleteAccessKey: (accessKey) =>
      write(() => {
        accessKeys.delete(accessKey);
      }),
    findDomain: async (id) => domains.get(id),
    findProject: async (id) => projects.get(id),
    listProjects: async () => projects.list(),
    findUser: async (id) => users.get(id),
    findUserByName: async (domainId, name) =>
      findNamed(
        users.list().filter((user) => user.domainId === domainId),
        name,
      ),
    listUsers: async () => users.list(),
    listDomains: async () => domains.list(),
    findAccessKey: async (accessKey) => accessKeys.get(accessKey),
    listAccessKeys: async () => accessKeys.list(),
    putToken: (token, maxOfFirst) =>
      write(() => {
        const { hash, firstHash } = token;
        tokens.put(hash, token);
        if (firstHash === undefined) return;
        const earlier = tokens
          .list()
          .filter((it) => it.firstHash === firstHash && it.hash !== hash)
          .sort((a, b) => b.issuedAt - a.issuedAt);
        for (const old of earlier.slice(maxOfFirst - 1)) {
          tokens.delete(old.hash);
        }
      }),
    findToken: async (hash) => tokens.get(hash),
    deleteToken: (hash) =>
      write(() => {
        tokens.delete(hash);
        tokens.deleteWhere(({ firstHash }) => firstHash === hash);
      }),
    deleteTokens: (userId) =>
      write(() => {
        tokens.deleteWhere((token) => token.userId === userId);
      }),
    deleteExpiredTokens: (now) =>
      write(() => tokens.deleteWhere(({ expiresAt }) => expiresAt <= now)),
    findSetting: async (name) => settings.get(name),
    putSetting: (name, value, replaces) =>
      write(() => {
        const { version = 0 } = settings.get(name) ?? {};
        if (version !== replaces) return false;
        settings.put(name, { value, version: version + 1 });
        return true;
      }),
  };
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly domainId?: string;
}

/** @throws CarillonError IDENTITY_EXISTS */
function putNamed<Row extends Named>(
  records: Table<Row>,
  kind: "domain" | "project" | "user",
  record: Row,
): void {
  const { id, name, domainId } = record;
  const isTaken = records
    .list()
    .some(
      (other) =>
        other.id !== id &&
        isSameIdentityName(other.name, name) &&
        other.domainId === domainId,
    );
  if (isTaken) throw identityExists(kind, name);
  records.put(id, record);
}
