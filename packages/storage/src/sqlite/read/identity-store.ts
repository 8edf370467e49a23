/** Projects, users, keys, tokens and settings in SQLite. */

import type {
  AccessKey,
  Domain,
  IdentityStore,
  Project,
  ProjectId,
  TokenRecord,
  User,
  UserRole,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { orNull } from "../schema/query.ts";

type DomainRow = readonly [id: string, name: string, disabled: number];
type ProjectRow = readonly [
  id: string,
  name: string,
  domainId: string,
  disabled: number,
];
type UserRow = readonly [
  id: string,
  name: string,
  domainId: string,
  passwordHash: string,
  role: string,
  disabled: number,
  projectIds: string,
];
type AccessKeyRow = readonly [
  accessKey: string,
  encryptedSecret: string,
  userId: string,
  projectId: string,
  createdAt: number,
  disabled: number,
];
type TokenRow = readonly [
  hash: string,
  userId: string,
  projectId: string | null,
  methods: string,
  issuedAt: number,
  expiresAt: number,
];

export function createIdentityStore({
  reader,
  writer,
}: Connections): IdentityStore {
  const domains = "SELECT id, name, disabled FROM domains";
  const domainById = reader.prepare<DomainRow>(`${domains} WHERE id = ?`);
  const allDomains = reader.prepare<DomainRow>(`${domains} ORDER BY seq`);
  const projects = "SELECT id, name, domain_id, disabled FROM projects";
  const projectById = reader.prepare<ProjectRow>(`${projects} WHERE id = ?`);
  const allProjects = reader.prepare<ProjectRow>(`${projects} ORDER BY seq`);
  const users = `SELECT id, name, domain_id, password_hash, role, disabled,
       (SELECT json_group_array(project_id ORDER BY project_id)
        FROM user_projects WHERE user_id = users.id)
     FROM users`;
  const userById = reader.prepare<UserRow>(`${users} WHERE id = ?`);
  const userByName = reader.prepare<UserRow>(
    `${users} WHERE domain_id = ? AND name = ? `,
  );
  const allUsers = reader.prepare<UserRow>(`${users} ORDER BY seq`);
  const accessKeys = `SELECT access_key, encrypted_secret, user_id, project_id,
       created_at, disabled
     FROM access_keys`;
  /** Asked on signed requests. Index: that of UNIQUE. */
  const accessKeyById = reader.prepare<AccessKeyRow>(
    `${accessKeys} WHERE access_key = ?`,
  );
  const allAccessKeys = reader.prepare<AccessKeyRow>(
    `${accessKeys} ORDER BY seq`,
  );
  /** Asked on every request with a token. Index: the primary key. */
  const tokenByHash = reader.prepare<TokenRow>(
    `SELECT hash, user_id, project_id, methods, issued_at, expires_at
     FROM tokens WHERE hash = ?`,
  );
  const settingByName = reader.prepare<[value: string]>(
    "SELECT value FROM settings WHERE name = ?",
  );

  return {
    putDomain: ({ id, name, disabled }) =>
      writer.run("putDomain", id, name, toNumber(disabled)),
    putProject: ({ id, name, domainId, disabled }) =>
      writer.run("putProject", id, name, domainId, toNumber(disabled)),
    putUser: (user) =>
      writer.run(
        "putUser",
        user.id,
        user.name,
        user.domainId,
        user.passwordHash,
        user.role,
        toNumber(user.disabled),
        user.projectIds,
      ),
    putAccessKey: (key) =>
      writer.run(
        "putAccessKey",
        key.accessKey,
        key.encryptedSecret,
        key.userId,
        key.projectId,
        key.createdAt,
        toNumber(key.disabled),
      ),
    deleteDomain: (id) => writer.run("deleteDomain", id),
    deleteProject: (id) => writer.run("deleteProject", id),
    deleteUser: (id) => writer.run("deleteUser", id),
    deleteAccessKey: (accessKey) => writer.run("deleteAccessKey", accessKey),
    async findDomain(id) {
      const row = domainById.get(id);
      return row && toDomain(row);
    },
    async findProject(id) {
      const row = projectById.get(id);
      return row && toProject(row);
    },
    async listProjects() {
      return allProjects.all().map(toProject);
    },
    async findUser(id) {
      const row = userById.get(id);
      return row && toUser(row);
    },
    async findUserByName(domainId, name) {
      const row = userByName.get(domainId, name);
      return row && toUser(row);
    },
    async listUsers() {
      return allUsers.all().map(toUser);
    },
    async listDomains() {
      return allDomains.all().map(toDomain);
    },
    async findAccessKey(accessKey) {
      const row = accessKeyById.get(accessKey);
      return row && toAccessKey(row);
    },
    async listAccessKeys() {
      return allAccessKeys.all().map(toAccessKey);
    },
    putToken: (token) =>
      writer.run(
        "putToken",
        token.hash,
        token.userId,
        orNull(token.projectId),
        JSON.stringify(token.methods),
        token.issuedAt,
        token.expiresAt,
      ),
    async findToken(hash) {
      const row = tokenByHash.get(hash);
      return row && toToken(row);
    },
    deleteToken: (hash) => writer.run("deleteToken", hash),
    deleteTokens: (userId) => writer.run("deleteTokens", userId),
    deleteExpiredTokens: (now) => writer.run("deleteExpiredTokens", now),
    async getSetting(name) {
      return settingByName.get(name)?.[0];
    },
    putSetting: (name, value) => writer.run("putSetting", name, value),
  };
}

function toDomain([id, name, disabled]: DomainRow): Domain {
  return { id, name, ...toDisabled(disabled) };
}

function toProject([id, name, domainId, disabled]: ProjectRow): Project {
  return { id: id as ProjectId, name, domainId, ...toDisabled(disabled) };
}

function toUser(row: UserRow): User {
  const [id, name, domainId, passwordHash, role, disabled, projectIds] = row;
  return {
    id,
    name,
    domainId,
    passwordHash,
    // Only putUser writes these columns.
    role: role as UserRole,
    projectIds: JSON.parse(projectIds) as ProjectId[],
    ...toDisabled(disabled),
  };
}

function toAccessKey(row: AccessKeyRow): AccessKey {
  const [accessKey, encryptedSecret, userId, projectId, createdAt, disabled] =
    row;
  return {
    accessKey,
    encryptedSecret,
    userId,
    projectId: projectId as ProjectId,
    createdAt,
    ...toDisabled(disabled),
  };
}

function toNumber(disabled: true | undefined): number {
  return disabled ? 1 : 0;
}

function toDisabled(disabled: number): { readonly disabled?: true } {
  return disabled === 0 ? {} : { disabled: true };
}

function toToken(row: TokenRow): TokenRecord {
  const [hash, userId, projectId, methods, issuedAt, expiresAt] = row;
  return {
    hash,
    userId,
    ...(projectId !== null && { projectId: projectId as ProjectId }),
    // Only putToken writes this column.
    methods: JSON.parse(methods) as string[],
    issuedAt,
    expiresAt,
  };
}
