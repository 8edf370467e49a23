/** Writes of projects, users, keys, tokens and settings. */

import type { DatabaseSync } from "node:sqlite";
import type {
  AccessKey,
  AccessRecord,
  Domain,
  EpochMs,
  Project,
  ProjectId,
  Protocol,
  TokenRecord,
  User,
} from "@carillon/core";
import {
  accessKeys,
  domains,
  projects,
  tokens,
  userRecords,
} from "../schema/identity-tables.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeNotices } from "./change-notices.ts";
import { createMailboxRemoval } from "./mailbox-writes.ts";

/** The version that a write was decided by; `undefined`: by none. */
type Expected = number | undefined;

/** Whether anything was changed, or that the version is another one. */
export type IdentityAnswer = boolean | "IDENTITY_CHANGED";

export function createIdentityWrites(db: DatabaseSync, notices: ChangeNotices) {
  /** Parameters: name, id. */
  const domainNamesake = prepareQuery<[one: number]>(
    db,
    `SELECT 1 FROM domains WHERE name = ?1 COLLATE NOCASE AND id <> ?2
       AND NOT EXISTS (SELECT 1 FROM domains WHERE id = ?2 AND name = ?1)`,
  );
  const putDomain = db.prepare(domains.replace("id"));
  /** Parameters: domain, name, id. Index: projects_name. */
  const projectNamesake = prepareQuery<[one: number]>(
    db,
    `SELECT 1 FROM projects
     WHERE domain_id = ?1 AND name = ?2 COLLATE NOCASE AND id <> ?3
       AND NOT EXISTS
         (SELECT 1 FROM projects WHERE id = ?3 AND domain_id = ?1 AND name = ?2)`,
  );
  const putProject = db.prepare(projects.replace("id"));
  /** Parameters: domain, name, id. Index: users_folded_name. */
  const userNamesake = prepareQuery<[one: number]>(
    db,
    `SELECT 1 FROM users
     WHERE domain_id = ?1 AND name = ?2 COLLATE NOCASE AND id <> ?3
       AND NOT EXISTS
         (SELECT 1 FROM users WHERE id = ?3 AND domain_id = ?1 AND name = ?2)`,
  );
  const putUser = db.prepare(userRecords.replace("id"));
  const assign = db.prepare(
    `INSERT OR IGNORE INTO user_projects (user_id, project_id) VALUES (?, ?)`,
  );
  const putAccessKey = db.prepare(accessKeys.replace("accessKey"));
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
  const ofProject = [
    "user_projects",
    "access_keys",
    "tokens",
    "subscription_users",
    "stored_templates",
    "disallowed_objects",
    "email_suppressions",
    "publishers",
    "categories",
  ].map((table) => db.prepare(`DELETE FROM ${table} WHERE project_id = ?`));
  /** Parameter: project. Indexes: stored_templates_slug, the primary key. */
  const deleteTemplateFiles = db.prepare(
    `DELETE FROM stored_template_attachments WHERE template_seq IN
       (SELECT seq FROM stored_templates WHERE project_id = ?)`,
  );
  /** Parameter: project. Index: its unique one. */
  const deleteFailingEndpoints = prepareQuery<
    [protocol: Protocol, endpoint: string]
  >(
    db,
    `DELETE FROM failing_endpoints WHERE project_id = ?
     RETURNING protocol, endpoint`,
  );
  /** Parameter: project. Index: topics_of_project. */
  const topicOfProject = prepareQuery<[one: number]>(
    db,
    "SELECT 1 FROM topics WHERE project_id = ? AND deleted_at IS NULL LIMIT 1",
  );
  // As single ones are deleted; their rows stay. Index: templates_name.
  const deleteTemplates = db.prepare(
    `UPDATE templates SET content = '', deleted_at = ?
     WHERE project_id = ? AND deleted_at IS NULL`,
  );
  /** Parameter: project. Index: mailboxes_of_project. */
  const mailboxesOfProject = prepareQuery<[seq: number]>(
    db,
    "SELECT seq FROM mailboxes WHERE project_id = ?",
  );
  const removeMailbox = createMailboxRemoval(db, notices);
  const deleteProject = db.prepare("DELETE FROM projects WHERE id = ?");
  const noteDeleted = db.prepare(
    "INSERT OR IGNORE INTO deleted_projects (id) VALUES (?)",
  );
  const forgetDeleted = db.prepare("DELETE FROM deleted_projects WHERE id = ?");
  const deleteAccessKey = db.prepare(
    "DELETE FROM access_keys WHERE access_key = ?",
  );
  const putToken = db.prepare(tokens.replace("hash"));
  /** Parameters: first token, the new one, how many. Index: tokens_lineage. */
  const deleteOldest = prepareQuery<[hash: string]>(
    db,
    `DELETE FROM tokens WHERE hash IN
       (SELECT hash FROM tokens INDEXED BY tokens_lineage
        WHERE first_hash = ? AND hash <> ?
        ORDER BY issued_at DESC LIMIT -1 OFFSET ?)
     RETURNING hash`,
  );
  /** Parameter: its hash. Indexes: the primary key, tokens_lineage. */
  const deleteToken = db.prepare(
    "DELETE FROM tokens WHERE hash = ?1 OR first_hash = ?1",
  );
  const deleteExpired = db.prepare("DELETE FROM tokens WHERE expires_at <= ?");
  const insertSetting = db.prepare(
    `INSERT INTO settings (name, version, value) VALUES (?, 1, ?)
     ON CONFLICT DO NOTHING`,
  );
  /** Parameters: value, name, the version it replaces. */
  const replaceSetting = db.prepare(
    `UPDATE settings SET value = ?, version = version + 1
     WHERE name = ? AND version = ?`,
  );

  const version = prepareQuery<[version: number]>(
    db,
    "SELECT version FROM identity_version",
  );
  const countUp = db.prepare(
    "UPDATE identity_version SET version = version + 1",
  );

  /** `work` answers whether it changed the record. */
  function change(
    expected: Expected,
    of: AccessRecord,
    id: string,
    work: () => boolean,
  ): IdentityAnswer {
    if (expected !== undefined && version.get()?.[0] !== expected) {
      return "IDENTITY_CHANGED";
    }
    if (!work()) return false;
    countUp.run();
    tell(of, id);
    return true;
  }

  function tell(of: AccessRecord, id: string): void {
    notices.note({ kind: "access", of, id });
  }

  return {
    /** This and its siblings answer false when another has the name. */
    putDomain: (domain: Domain, expected: Expected) =>
      change(expected, "domain", domain.id, () => {
        if (domainNamesake.get(domain.name, domain.id)) return false;
        putDomain.run(...domains.toRow(domain));
        return true;
      }),
    putProject: (project: Project, expected: Expected) =>
      change(expected, "project", project.id, () => {
        const { id, name, domainId } = project;
        if (projectNamesake.get(domainId, name, id)) return false;
        putProject.run(...projects.toRow(project));
        forgetDeleted.run(id);
        return true;
      }),
    putUser: (user: User, expected: Expected) =>
      change(expected, "user", user.id, () => {
        const { id, name, domainId, projectIds } = user;
        if (userNamesake.get(domainId, name, id)) return false;
        putUser.run(...userRecords.toRow(user));
        unassignAll.run(id);
        for (const projectId of projectIds) assign.run(id, projectId);
        return true;
      }),
    putAccessKey: (key: AccessKey, expected: Expected) =>
      change(expected, "access_key", key.accessKey, () => {
        putAccessKey.run(...accessKeys.toRow(key));
        return true;
      }),
    deleteDomain: (id: string, expected: Expected) =>
      change(expected, "domain", id, () => {
        deleteDomain.run(id);
        return domainById.get(id) === undefined;
      }),
    deleteProject: (id: ProjectId, at: EpochMs, expected: Expected) =>
      change(expected, "project", id, () => {
        if (topicOfProject.get(id)) return false;
        deleteTemplateFiles.run(id);
        for (const statement of ofProject) statement.run(id);
        for (const [seq] of mailboxesOfProject.all(id)) removeMailbox(seq);
        for (const [protocol, endpoint] of deleteFailingEndpoints.all(id)) {
          const projectId = id;
          notices.note({ kind: "endpoint", projectId, protocol, endpoint });
        }
        deleteTemplates.run(at, id);
        deleteProject.run(id);
        noteDeleted.run(id);
        return true;
      }),
    deleteUser: (id: string, expected: Expected) =>
      change(expected, "user", id, () => {
        unassignAll.run(id);
        deleteKeysOfUser.run(id);
        deleteTokensOfUser.run(id);
        deleteUser.run(id);
        return true;
      }),
    deleteAccessKey: (accessKey: string, expected: Expected) =>
      change(expected, "access_key", accessKey, () => {
        deleteAccessKey.run(accessKey);
        return true;
      }),
    putToken(token: TokenRecord, maxOfFirst: number): void {
      putToken.run(...tokens.toRow(token));
      if (token.firstHash === undefined) return;
      const { firstHash, hash } = token;
      for (const [old] of deleteOldest.all(firstHash, hash, maxOfFirst - 1)) {
        tell("token", old);
      }
    },
    deleteToken(hash: string): void {
      deleteToken.run(hash);
      tell("token", hash);
    },
    deleteTokens(userId: string): void {
      deleteTokensOfUser.run(userId);
      tell("user", userId);
    },
    deleteExpiredTokens(now: EpochMs): number {
      return Number(deleteExpired.run(now).changes);
    },
    putSetting(name: string, value: string, replaces: number): boolean {
      const { changes } =
        replaces === 0
          ? insertSetting.run(name, value)
          : replaceSetting.run(value, name, replaces);
      if (Number(changes) === 0) return false;
      notices.note({ kind: "setting", name });
      return true;
    },
  };
}
