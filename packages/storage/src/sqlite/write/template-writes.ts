/** Writes of message templates. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, NewMessageTemplate } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";
import { newTemplates } from "../schema/template-table.ts";
import { createDeletedProjectCheck } from "./deleted-projects.ts";

export function createTemplateWrites(db: DatabaseSync) {
  const byName = prepareQuery<[seq: number]>(
    db,
    `SELECT seq FROM templates
     WHERE project_id = ? AND name = ? AND protocol = ?
       AND deleted_at IS NULL`,
  );
  const countOfProject = prepareQuery<[templates: number]>(
    db,
    `SELECT count(*) FROM templates
     WHERE project_id = ? AND deleted_at IS NULL`,
  );
  const isDeletedProject = createDeletedProjectCheck(db);
  const insert = db.prepare(newTemplates.insert);
  const update = db.prepare(
    `UPDATE templates SET content = ?, tag_names = ?, updated_at = ?
     WHERE id = ? AND project_id = ? AND deleted_at IS NULL`,
  );
  const remove = db.prepare(
    `UPDATE templates SET content = '', deleted_at = ?
     WHERE id = ? AND project_id = ? AND deleted_at IS NULL`,
  );

  return {
    createTemplate(
      template: NewMessageTemplate,
      quota: number,
    ):
      | { seq: number }
      | "TEMPLATE_EXISTS"
      | "TEMPLATE_QUOTA_EXCEEDED"
      | "PROJECT_DELETED" {
      const { projectId, name, protocol } = template;
      if (byName.get(projectId, name, protocol)) return "TEMPLATE_EXISTS";
      const [count] = countOfProject.get(projectId) ?? [0];
      if (count >= quota) return "TEMPLATE_QUOTA_EXCEEDED";
      if (isDeletedProject(projectId)) return "PROJECT_DELETED";
      const { lastInsertRowid } = insert.run(...newTemplates.toRow(template));
      return { seq: Number(lastInsertRowid) };
    },
    updateTemplate(
      projectId: string,
      id: string,
      change: Pick<NewMessageTemplate, "content" | "tagNames" | "updatedAt">,
    ): boolean {
      const { changes } = update.run(
        change.content,
        JSON.stringify(change.tagNames),
        change.updatedAt,
        id,
        projectId,
      );
      return changes > 0;
    },
    deleteTemplate(projectId: string, id: string, at: EpochMs): boolean {
      return remove.run(at, id, projectId).changes > 0;
    },
  };
}
