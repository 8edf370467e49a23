/** Message templates in SQLite: reads, and the way to the writer. */

import { CarillonError, type TemplateStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  type TemplateRow,
  type TemplateSummaryRow,
  templateSummaries,
  templates,
} from "../schema/template-table.ts";
import { Conditions } from "./conditions.ts";

export function createTemplateStore({
  reader,
  writer,
}: Connections): TemplateStore {
  /** Parameters: id, project. Index: templates_id. */
  const byId = reader.prepare<TemplateRow>(
    `SELECT ${templates.columns()} FROM templates
     WHERE id = ? AND project_id = ? AND deleted_at IS NULL`,
  );
  /**
   * All variants of a name; asked when publishing by template.
   * Parameters: project, name. Index: templates_name.
   */
  const variants = reader.prepare<TemplateRow>(
    `SELECT ${templates.columns()} FROM templates INDEXED BY templates_name
     WHERE project_id = ? AND name = ? AND deleted_at IS NULL
     ORDER BY seq`,
  );

  return {
    async findTemplate(projectId, id) {
      const row = byId.get(id, projectId);
      return row && templates.fromRow(row);
    },
    async findTemplateVariants(projectId, name) {
      return variants.all(projectId, name).map((row) => templates.fromRow(row));
    },
    async listTemplates(projectId, filter, { offset, limit, marker }) {
      const where = new Conditions()
        .add("project_id = ?", projectId)
        .add("deleted_at IS NULL")
        .addIfSet("name = ?", filter.name)
        .addIfSet("protocol = ?", filter.protocol);
      const [total] = reader
        .prepared<[number]>(`SELECT count(*) FROM templates ${where.sql}`)
        .get(...where.values) ?? [0];
      // An unknown marker is NULL, behind which nothing comes.
      where.addIfSet(
        "seq > (SELECT seq FROM templates WHERE id = ? AND project_id = ?)",
        marker,
        projectId,
      );
      const rows = reader
        .prepared<TemplateSummaryRow>(
          `SELECT ${templateSummaries.columns()} FROM templates ${where.sql}
           ORDER BY seq LIMIT ? OFFSET ?`,
        )
        .all(...where.values, limit, marker === undefined ? offset : 0);
      return {
        total,
        items: rows.map((row) => templateSummaries.fromRow(row)),
      };
    },
    async createTemplate(template, quota) {
      const result = await writer.run("createTemplate", template, quota);
      switch (result) {
        case "TEMPLATE_EXISTS":
          throw new CarillonError(
            result,
            "There is a template of that name and protocol already: update it, or use another name.",
          );
        case "TEMPLATE_QUOTA_EXCEEDED":
          throw new CarillonError(
            result,
            `The project has ${quota} templates, as many as it may: delete one first.`,
          );
        case "PROJECT_DELETED":
          throw new CarillonError(result);
        default:
          return { ...template, seq: result.seq };
      }
    },
    updateTemplate: (projectId, id, change) =>
      writer.run("updateTemplate", projectId, id, change),
    deleteTemplate: (projectId, id, at) =>
      writer.run("deleteTemplate", projectId, id, at),
  };
}
