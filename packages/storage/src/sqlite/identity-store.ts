/** Projects, users, keys, tokens and settings in SQLite. */

import type {
  AccessKey,
  Domain,
  IdentityStore,
  Project,
  ProjectId,
  TokenRecord,
  User,
} from "@carillon/core";
import type { Connections } from "./connections.ts";
import { orNull } from "./query.ts";

type DomainRow = readonly [id: string, name: string];
type ProjectRow = readonly [id: string, name: string, domainId: string];
type UserRow = readonly [
  id: string,
  name: string,
  domainId: string,
  passwordHash: string,
];
type AccessKeyRow = readonly [
  accessKey: string,
  encryptedSecret: string,
  userId: string,
  projectId: string,
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
  const domains = "SELECT id, name FROM domains";
  const domainById = reader.prepare<DomainRow>(`${domains} WHERE id = ?`);
  const allDomains = reader.prepare<DomainRow>(`${domains} ORDER BY rowid`);
  const projects = "SELECT id, name, domain_id FROM projects";
  const projectById = reader.prepare<ProjectRow>(`${projects} WHERE id = ?`);
  const allProjects = reader.prepare<ProjectRow>(`${projects} ORDER BY rowid`);
  const users = "SELECT id, name, domain_id, password_hash FROM users";
  const userById = reader.prepare<UserRow>(`${users} WHERE id = ?`);
  const userByName = reader.prepare<UserRow>(
    `${users} WHERE domain_id = ? AND name = ? ORDER BY rowid LIMIT 1`,
  );
  /** Asked on every signed request. Index: the primary key. */
  const accessKeyById = reader.prepare<AccessKeyRow>(
    `SELECT access_key, encrypted_secret, user_id, project_id
     FROM access_keys WHERE access_key = ?`,
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
    putDomain: ({ id, name }) => writer.run("putDomain", id, name),
    putProject: ({ id, name, domainId }) =>
      writer.run("putProject", id, name, domainId),
    putUser: ({ id, name, domainId, passwordHash }) =>
      writer.run("putUser", id, name, domainId, passwordHash),
    putAccessKey: ({ accessKey, encryptedSecret, userId, projectId }) =>
      writer.run("putAccessKey", accessKey, encryptedSecret, userId, projectId),
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
    async listDomains() {
      return allDomains.all().map(toDomain);
    },
    async findAccessKey(accessKey) {
      const row = accessKeyById.get(accessKey);
      return row && toAccessKey(row);
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
    deleteExpiredTokens: (now) => writer.run("deleteExpiredTokens", now),
    async getSetting(name) {
      return settingByName.get(name)?.[0];
    },
    putSetting: (name, value) => writer.run("putSetting", name, value),
  };
}

function toDomain([id, name]: DomainRow): Domain {
  return { id, name };
}

function toProject([id, name, domainId]: ProjectRow): Project {
  return { id: id as ProjectId, name, domainId };
}

function toUser([id, name, domainId, passwordHash]: UserRow): User {
  return { id, name, domainId, passwordHash };
}

function toAccessKey(row: AccessKeyRow): AccessKey {
  const [accessKey, encryptedSecret, userId, projectId] = row;
  return {
    accessKey,
    encryptedSecret,
    userId,
    projectId: projectId as ProjectId,
  };
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
