/** Projects, users, keys, tokens and settings of the in-memory store. */

import {
  CarillonError,
  findNamed,
  type IdentityStore,
  identityExists,
  isSameIdentityName,
} from "@carillon/core";
import { listTopics } from "./directory.ts";
import { removeMailbox } from "./mailboxes.ts";
import { removePublisher } from "./publishers.ts";
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
    identityVersion,
    subscriptionUsers,
    failingEndpoints,
    storedTemplates,
    disallowedObjects,
    emailSuppressions,
    templates,
    deletedTemplates,
    mailboxes,
    publishers,
    write,
  } = tables;
  const readVersion = () => identityVersion.get(0)?.version ?? 0;

  /** `work` answers whether it changed anything. */
  const change = (expected: number | undefined, work: () => boolean) =>
    write(() => {
      const version = readVersion();
      if (expected !== undefined && expected !== version) {
        throw new CarillonError("IDENTITY_CHANGED");
      }
      if (!work()) return false;
      identityVersion.put(0, { version: version + 1 });
      return true;
    });

  return {
    readIdentityVersion: async () => readVersion(),
    async putDomain(domain, expected) {
      await change(expected, () => {
        putNamed(domains, "domain", domain);
        return true;
      });
    },
    async putProject(project, expected) {
      await change(expected, () => {
        putNamed(projects, "project", project);
        deletedProjects.delete(project.id);
        return true;
      });
    },
    async putUser(user, expected) {
      await change(expected, () => {
        const projectIds = [...new Set(user.projectIds)].sort();
        putNamed(users, "user", { ...user, projectIds });
        return true;
      });
    },
    async putAccessKey(key, expected) {
      await change(expected, () => {
        accessKeys.put(key.accessKey, key);
        return true;
      });
    },
    deleteDomain: (id, expected) =>
      change(expected, () => {
        const members = [...projects.list(), ...users.list()];
        if (members.some(({ domainId }) => domainId === id)) return false;
        domains.delete(id);
        return true;
      }),
    deleteProject: (id, _at, expected) =>
      change(expected, () => {
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
        storedTemplates.deleteWhere(({ projectId }) => projectId === id);
        disallowedObjects.deleteWhere(({ projectId }) => projectId === id);
        emailSuppressions.deleteWhere(({ projectId }) => projectId === id);
        for (const { seq, projectId } of mailboxes.list()) {
          if (projectId === id) removeMailbox(tables, seq);
        }
        for (const publisher of publishers.list()) {
          if (publisher.projectId === id) removePublisher(tables, publisher);
        }
        for (const user of users.list()) {
          const projectIds = user.projectIds.filter((other) => other !== id);
          users.put(user.id, { ...user, projectIds });
        }
        return true;
      }),
    isDeletedProject: async (id) => deletedProjects.has(id),
    async deleteUser(id, expected) {
      await change(expected, () => {
        users.delete(id);
        accessKeys.deleteWhere(({ userId }) => userId === id);
        tokens.deleteWhere(({ userId }) => userId === id);
        return true;
      });
    },
    async deleteAccessKey(accessKey, expected) {
      await change(expected, () => {
        accessKeys.delete(accessKey);
        return true;
      });
    },
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
