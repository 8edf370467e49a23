/** Writes of templates of stored messages. */

import type { DatabaseSync } from "node:sqlite";
import type {
  DisallowedScope,
  EpochMs,
  RelatedObject,
  StoredTemplate,
  StoredTemplateCondition,
  StoredTemplateKey,
} from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";
import {
  allSlugs,
  storedTemplates,
  templateAttachments,
} from "../schema/stored-template-table.ts";
import { createDeletedProjectCheck } from "./deleted-projects.ts";

export function createStoredTemplateWrites(db: DatabaseSync) {
  /** Parameters: project, channel, slug. Index: stored_templates_slug. */
  const bySlug = prepareQuery<[seq: number, changedAt: number]>(
    db,
    `SELECT seq, changed_at FROM stored_templates
     WHERE project_id = ? AND channel = ? AND slug = ?`,
  );
  /** Parameters: project, limit. Index: the same. */
  const count = prepareQuery<[templates: number]>(
    db,
    `SELECT count(*) FROM (
       SELECT 1 FROM stored_templates WHERE project_id = ? LIMIT ?)`,
  );
  const isDeletedProject = createDeletedProjectCheck(db);
  const { names } = storedTemplates;
  const insert = db.prepare(
    `INSERT INTO stored_templates (${names.join(", ")}, project_id)
     VALUES (${names.map(() => "?").join(", ")}, ?)`,
  );
  const update = db.prepare(
    `UPDATE stored_templates SET ${names.map((it) => `${it} = ?`).join(", ")}
     WHERE seq = ?`,
  );
  const remove = db.prepare("DELETE FROM stored_templates WHERE seq = ?");
  const attach = db.prepare(
    `INSERT INTO stored_template_attachments
       (${templateAttachments.names.join(", ")}, template_seq, position)
     VALUES (${templateAttachments.names.map(() => "?").join(", ")}, ?, ?)`,
  );
  /** Index: the primary key. */
  const detach = db.prepare(
    "DELETE FROM stored_template_attachments WHERE template_seq = ?",
  );
  const disallow = db.prepare(
    `INSERT INTO disallowed_objects
       (project_id, channel, slug, type, id, created_at)
     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  /** Index: the primary key. */
  const allow = db.prepare(
    `DELETE FROM disallowed_objects
     WHERE project_id = ? AND channel = ? AND slug = ? AND type = ? AND id = ?`,
  );
  /** Index: the start of the primary key. */
  const allowAll = db.prepare(
    `DELETE FROM disallowed_objects
     WHERE project_id = ? AND channel = ? AND slug = ?`,
  );

  return {
    putStoredTemplate(
      projectId: string,
      template: StoredTemplate,
      condition: StoredTemplateCondition,
      quota: number,
    ): "put" | "refused" | "TEMPLATE_QUOTA_EXCEEDED" | "PROJECT_DELETED" {
      const { channel, slug, attachments = [] } = template;
      const known = bySlug.get(projectId, channel, slug);
      const changedAt = known?.[1];
      const isMet =
        condition.kind === "absent"
          ? changedAt === undefined
          : changedAt === condition.changedAt;
      if (!isMet) return "refused";
      let [seq] = known ?? [];
      if (seq === undefined) {
        const [templates] = count.get(projectId, quota) ?? [0];
        if (templates >= quota) return "TEMPLATE_QUOTA_EXCEEDED";
        if (isDeletedProject(projectId)) return "PROJECT_DELETED";
        const row = storedTemplates.toRow(template);
        seq = Number(insert.run(...row, projectId).lastInsertRowid);
      } else {
        update.run(...storedTemplates.toRow(template), seq);
        detach.run(seq);
      }
      for (const [position, attachment] of attachments.entries()) {
        attach.run(...templateAttachments.toRow(attachment), seq, position);
      }
      return "put";
    },
    deleteStoredTemplate(
      projectId: string,
      { channel, slug }: StoredTemplateKey,
    ): boolean {
      const [seq] = bySlug.get(projectId, channel, slug) ?? [];
      if (seq === undefined) return false;
      detach.run(seq);
      allowAll.run(projectId, channel, slug);
      return remove.run(seq).changes > 0;
    },
    disallowObjects(
      projectId: string,
      { channel, slug = allSlugs }: DisallowedScope,
      objects: readonly RelatedObject[],
      at: EpochMs,
    ): "put" | "PROJECT_DELETED" {
      if (isDeletedProject(projectId)) return "PROJECT_DELETED";
      for (const { type, id } of objects) {
        disallow.run(projectId, channel, slug, type, id, at);
      }
      return "put";
    },
    allowObjects(
      projectId: string,
      { channel, slug = allSlugs }: DisallowedScope,
      objects: readonly RelatedObject[],
    ): number {
      let changes = 0;
      for (const { type, id } of objects) {
        changes += Number(
          allow.run(projectId, channel, slug, type, id).changes,
        );
      }
      return changes;
    },
  };
}
