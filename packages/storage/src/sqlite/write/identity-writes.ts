/** Writes of projects, users, keys, tokens and settings. */

import type { DatabaseSync } from "node:sqlite";
import { prepareQuery } from "../schema/query.ts";

export function createIdentityWrites(db: DatabaseSync) {
  /** Parameters: name, id. */
  const domainNamesake = prepareQuery<[one: number]>(
    db,
    "SELECT 1 FROM domains WHERE name = ? AND id <> ?",
  );
  const putDomain = db.prepare(
    `INSERT INTO domains (id, name, disabled) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name,
       disabled = excluded.disabled`,
  );
  /** Parameters: domain, name, id. Index: projects_name. */
  const projectNamesake = prepareQuery<[one: number]>(
    db,
    "SELECT 1 FROM projects WHERE domain_id = ? AND name = ? AND id <> ?",
  );
  const putProject = db.prepare(
    `INSERT INTO projects (id, name, domain_id, disabled) VALUES (?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name,
       domain_id = excluded.domain_id, disabled = excluded.disabled`,
  );
  /** Parameters: domain, name, id. Index: users_name. */
  const userNamesake = prepareQuery<[one: number]>(
    db,
    "SELECT 1 FROM users WHERE domain_id = ? AND name = ? AND id <> ?",
  );
  const putUser = db.prepare(
    `INSERT INTO users (id, name, domain_id, password_hash, role, disabled)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name,
       domain_id = excluded.domain_id, password_hash = excluded.password_hash,
       role = excluded.role, disabled = excluded.disabled`,
  );
  const assign = db.prepare(
    `INSERT OR IGNORE INTO user_projects (user_id, project_id) VALUES (?, ?)`,
  );
  const putAccessKey = db.prepare(
    `INSERT INTO access_keys (access_key, encrypted_secret, user_id,
       project_id, created_at, disabled)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (access_key) DO UPDATE SET
       encrypted_secret = excluded.encrypted_secret,
       user_id = excluded.user_id, project_id = excluded.project_id,
       created_at = excluded.created_at, disabled = excluded.disabled`,
  );
  const deleteDomain = db.prepare(
    `DELETE FROM domains WHERE id = ?1
       AND NOT EXISTS (SELECT 1 FROM projects WHERE domain_id = ?1)
       AND NOT EXISTS (SELECT 1 FROM users WHERE domain_id = ?1)`,
  );
  const domainById = prepareQuery<[one: number]>(
    db,
    "SELECT 1 FROM domains WHERE id = ?",
  );
  const deleteUser = db.prepare("DELETE FROM users WHERE id = ?");
  const unassignAll = db.prepare("DELETE FROM user_projects WHERE user_id = ?");
  const deleteKeysOfUser = db.prepare(
    "DELETE FROM access_keys WHERE user_id = ?",
  );
  const deleteTokensOfUser = db.prepare("DELETE FROM tokens WHERE user_id = ?");
  const ofProject = ["user_projects", "access_keys", "tokens"].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE project_id = ?`),
  );
  const deleteProject = db.prepare("DELETE FROM projects WHERE id = ?");
  const deleteAccessKey = db.prepare(
    "DELETE FROM access_keys WHERE access_key = ?",
  );
  const putToken = db.prepare(
    `INSERT OR REPLACE INTO tokens
       (hash, user_id, project_id, methods, issued_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const deleteToken = db.prepare("DELETE FROM tokens WHERE hash = ?");
  const deleteExpired = db.prepare("DELETE FROM tokens WHERE expires_at <= ?");
  const putSetting = db.prepare(
    `INSERT INTO settings (name, value) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value`,
  );

  return {
    putDomain(id: string, name: string, disabled: number): boolean {
      if (domainNamesake.get(name, id)) return false;
      putDomain.run(id, name, disabled);
      return true;
    },
    putProject(
      id: string,
      name: string,
      domainId: string,
      disabled: number,
    ): boolean {
      if (projectNamesake.get(domainId, name, id)) return false;
      putProject.run(id, name, domainId, disabled);
      return true;
    },
    putUser(
      id: string,
      name: string,
      domainId: string,
      passwordHash: string,
      role: string,
      disabled: number,
      projectIds: readonly string[],
    ): boolean {
      if (userNamesake.get(domainId, name, id)) return false;
      putUser.run(id, name, domainId, passwordHash, role, disabled);
      unassignAll.run(id);
      for (const projectId of projectIds) assign.run(id, projectId);
      return true;
    },
    putAccessKey(
      accessKey: string,
      encryptedSecret: string,
      userId: string,
      projectId: string,
      createdAt: number,
      disabled: number,
    ): void {
      putAccessKey.run(
        accessKey,
        encryptedSecret,
        userId,
        projectId,
        createdAt,
        disabled,
      );
    },
    deleteDomain(id: string): boolean {
      deleteDomain.run(id);
      return domainById.get(id) === undefined;
    },
    deleteProject(id: string): void {
      for (const statement of ofProject) statement.run(id);
      deleteProject.run(id);
    },
    deleteUser(id: string): void {
      unassignAll.run(id);
      deleteKeysOfUser.run(id);
      deleteTokensOfUser.run(id);
      deleteUser.run(id);
    },
    deleteAccessKey(accessKey: string): void {
      deleteAccessKey.run(accessKey);
    },
    putToken(
      hash: string,
      userId: string,
      projectId: string | null,
      methods: string,
      issuedAt: number,
      expiresAt: number,
    ): void {
      putToken.run(hash, userId, projectId, methods, issuedAt, expiresAt);
    },
    deleteToken(hash: string): void {
      deleteToken.run(hash);
    },
    deleteTokens(userId: string): void {
      deleteTokensOfUser.run(userId);
    },
    deleteExpiredTokens(now: number): number {
      return Number(deleteExpired.run(now).changes);
    },
    putSetting(name: string, value: string): void {
      putSetting.run(name, value);
    },
  };
}
