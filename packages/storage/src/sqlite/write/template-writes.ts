/** Writes of message templates. */

import type { DatabaseSync } from "node:sqlite";
import { prepareQuery } from "../schema/query.ts";

/** A new template's columns, in the order of the INSERT. */
export type NewTemplateValues = [
  id: string,
  projectId: string,
  name: string,
  protocol: string,
  tagNames: string,
  createdAt: number,
  updatedAt: number,
  content: string,
];

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
  const insert = prepareQuery<[seq: number]>(
    db,
    `INSERT INTO templates (id, project_id, name, protocol, tag_names,
       created_at, updated_at, content)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     RETURNING seq`,
  );
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
      values: NewTemplateValues,
      quota: number,
    ): { seq: number } | "TEMPLATE_EXISTS" | "TEMPLATE_QUOTA_EXCEEDED" {
      const [, projectId, name, protocol] = values;
      if (byName.get(projectId, name, protocol)) return "TEMPLATE_EXISTS";
      const [count] = countOfProject.get(projectId) ?? [0];
      if (count >= quota) return "TEMPLATE_QUOTA_EXCEEDED";
      const [seq] = insert.get(...values) ?? [];
      if (!seq) throw new Error("An inserted template was not returned.");
      return { seq };
    },
    updateTemplate(
      projectId: string,
      id: string,
      content: string,
      tagNames: string,
      updatedAt: number,
    ): boolean {
      return (
        update.run(content, tagNames, updatedAt, id, projectId).changes > 0
      );
    },
    deleteTemplate(projectId: string, id: string, at: number): boolean {
      return remove.run(at, id, projectId).changes > 0;
    },
  };
}
