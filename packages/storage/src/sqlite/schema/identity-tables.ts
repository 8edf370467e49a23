/** Domains, projects, users, keys and tokens as they stand in their tables. */

import type {
  AccessKey,
  Domain,
  Project,
  ProjectId,
  TokenRecord,
  User,
  UserRole,
} from "@carillon/core";
import {
  computed,
  epochMs,
  flag,
  json,
  optional,
  text,
  textOf,
} from "./codec.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

export type DomainRow = RowOf<Domain>;
export type ProjectRow = RowOf<Project>;
export type UserRow = RowOf<User>;
export type AccessKeyRow = RowOf<AccessKey>;
export type TokenRow = RowOf<TokenRecord>;

export const domains = defineTable("domains", {
  id: text,
  name: text,
  disabled: flag,
});

export const projects = defineTable("projects", {
  id: textOf<ProjectId>(),
  name: text,
  domainId: text,
  disabled: flag,
});

const userShape = {
  id: text,
  name: text,
  domainId: text,
  passwordHash: text,
  role: textOf<UserRole>(),
  disabled: flag,
  projectIds: computed(
    `(SELECT json_group_array(project_id ORDER BY project_id)
      FROM user_projects WHERE user_id = users.id)`,
    json<readonly ProjectId[]>(),
  ),
};

export const users = defineTable("users", userShape);
/** What stands in the table itself. */
export const userRecords = defineTable("users", omit(userShape, "projectIds"));

export const accessKeys = defineTable("access_keys", {
  accessKey: text,
  encryptedSecret: text,
  userId: text,
  projectId: textOf<ProjectId>(),
  createdAt: epochMs,
  disabled: flag,
});

export const tokens = defineTable("tokens", {
  hash: text,
  userId: text,
  projectId: optional(textOf<ProjectId>()),
  domainId: optional(text),
  methods: json<readonly string[]>(),
  issuedAt: epochMs,
  expiresAt: epochMs,
  firstHash: optional(text),
});
