/** Projects, users, keys, tokens and settings in SQLite. */

import {
  CarillonError,
  findNamed,
  type IdentityStore,
  identityExists,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  type AccessKeyRow,
  accessKeys,
  type DomainRow,
  domains,
  type ProjectRow,
  projects,
  type TokenRow,
  tokens,
  type UserRow,
  users,
} from "../schema/identity-tables.ts";
import type { IdentityAnswer } from "../write/identity-writes.ts";

export function createIdentityStore({
  reader,
  writer,
}: Connections): IdentityStore {
  const all = (table: { readonly name: string; columns(): string }) =>
    `SELECT ${table.columns()} FROM ${table.name}`;
  const domainById = reader.prepare<DomainRow>(`${all(domains)} WHERE id = ?`);
  const allDomains = reader.prepare<DomainRow>(`${all(domains)} ORDER BY seq`);
  const projectById = reader.prepare<ProjectRow>(
    `${all(projects)} WHERE id = ?`,
  );
  const allProjects = reader.prepare<ProjectRow>(
    `${all(projects)} ORDER BY seq`,
  );
  const deletedProject = reader.prepare<[one: number]>(
    "SELECT 1 FROM deleted_projects WHERE id = ?",
  );
  const userById = reader.prepare<UserRow>(`${all(users)} WHERE id = ?`);
  /** Index: users_folded_name. NOCASE is about ASCII letters. */
  const usersByName = reader.prepare<UserRow>(
    `${all(users)} WHERE domain_id = ? AND name = ? COLLATE NOCASE`,
  );
  const allUsers = reader.prepare<UserRow>(`${all(users)} ORDER BY seq`);
  /** Asked on signed requests. Index: that of UNIQUE. */
  const accessKeyById = reader.prepare<AccessKeyRow>(
    `${all(accessKeys)} WHERE access_key = ?`,
  );
  const allAccessKeys = reader.prepare<AccessKeyRow>(
    `${all(accessKeys)} ORDER BY seq`,
  );
  /** Asked on every request with a token. Index: the primary key. */
  const tokenByHash = reader.prepare<TokenRow>(`${all(tokens)} WHERE hash = ?`);
  const settingByName = reader.prepare<[value: string, version: number]>(
    "SELECT value, version FROM settings WHERE name = ?",
  );
  const version = reader.prepare<[version: number]>(
    "SELECT version FROM identity_version",
  );

  return {
    async readIdentityVersion() {
      return version.get()?.[0] ?? 0;
    },
    async putDomain(domain, expected) {
      if (isDone(await writer.run("putDomain", domain, expected))) return;
      throw identityExists("domain", domain.name);
    },
    async putProject(project, expected) {
      if (isDone(await writer.run("putProject", project, expected))) return;
      throw identityExists("project", project.name);
    },
    async putUser(user, expected) {
      if (isDone(await writer.run("putUser", user, expected))) return;
      throw identityExists("user", user.name);
    },
    async putAccessKey(key, expected) {
      isDone(await writer.run("putAccessKey", key, expected));
    },
    deleteDomain: async (id, expected) =>
      isDone(await writer.run("deleteDomain", id, expected)),
    deleteProject: async (id, at, expected) =>
      isDone(await writer.run("deleteProject", id, at, expected)),
    async isDeletedProject(id) {
      return deletedProject.get(id) !== undefined;
    },
    async deleteUser(id, expected) {
      isDone(await writer.run("deleteUser", id, expected));
    },
    async deleteAccessKey(accessKey, expected) {
      isDone(await writer.run("deleteAccessKey", accessKey, expected));
    },
    async findDomain(id) {
      const row = domainById.get(id);
      return row && domains.fromRow(row);
    },
    async findProject(id) {
      const row = projectById.get(id);
      return row && projects.fromRow(row);
    },
    async listProjects() {
      return allProjects.all().map((row) => projects.fromRow(row));
    },
    async findUser(id) {
      const row = userById.get(id);
      return row && users.fromRow(row);
    },
    async findUserByName(domainId, name) {
      const rows = usersByName.all(domainId, name);
      return findNamed(
        rows.map((row) => users.fromRow(row)),
        name,
      );
    },
    async listUsers() {
      return allUsers.all().map((row) => users.fromRow(row));
    },
    async listDomains() {
      return allDomains.all().map((row) => domains.fromRow(row));
    },
    async findAccessKey(accessKey) {
      const row = accessKeyById.get(accessKey);
      return row && accessKeys.fromRow(row);
    },
    async listAccessKeys() {
      return allAccessKeys.all().map((row) => accessKeys.fromRow(row));
    },
    putToken: (token, maxOfFirst) => writer.run("putToken", token, maxOfFirst),
    async findToken(hash) {
      const row = tokenByHash.get(hash);
      return row && tokens.fromRow(row);
    },
    deleteToken: (hash) => writer.run("deleteToken", hash),
    deleteTokens: (userId) => writer.run("deleteTokens", userId),
    deleteExpiredTokens: (now) => writer.run("deleteExpiredTokens", now),
    async findSetting(name) {
      const row = settingByName.get(name);
      return row && { value: row[0], version: row[1] };
    },
    putSetting: (name, value, replaces) =>
      writer.run("putSetting", name, value, replaces),
  };
}

/** @throws CarillonError IDENTITY_CHANGED */
function isDone(answer: IdentityAnswer): boolean {
  if (typeof answer === "boolean") return answer;
  throw new CarillonError(answer);
}
