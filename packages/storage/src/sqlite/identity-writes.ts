/** Writes of projects, users, keys, tokens and settings; runs in the writer thread. */

import type { DatabaseSync } from "node:sqlite";

export function createIdentityWrites(db: DatabaseSync) {
  const putDomain = db.prepare(
    `INSERT INTO domains (id, name) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET name = excluded.name`,
  );
  const putProject = db.prepare(
    `INSERT INTO projects (id, name, domain_id) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET name = excluded.name,
       domain_id = excluded.domain_id`,
  );
  const putUser = db.prepare(
    `INSERT INTO users (id, name, domain_id, password_hash) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET name = excluded.name,
       domain_id = excluded.domain_id, password_hash = excluded.password_hash`,
  );
  const putAccessKey = db.prepare(
    `INSERT INTO access_keys
       (access_key, encrypted_secret, user_id, project_id)
     VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET encrypted_secret = excluded.encrypted_secret,
       user_id = excluded.user_id, project_id = excluded.project_id`,
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
    putDomain(id: string, name: string): void {
      putDomain.run(id, name);
    },
    putProject(id: string, name: string, domainId: string): void {
      putProject.run(id, name, domainId);
    },
    putUser(id: string, name: string, domainId: string, hash: string): void {
      putUser.run(id, name, domainId, hash);
    },
    putAccessKey(
      accessKey: string,
      encryptedSecret: string,
      userId: string,
      projectId: string,
    ): void {
      putAccessKey.run(accessKey, encryptedSecret, userId, projectId);
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
    deleteExpiredTokens(now: number): number {
      return Number(deleteExpired.run(now).changes);
    },
    putSetting(name: string, value: string): void {
      putSetting.run(name, value);
    },
  };
}
