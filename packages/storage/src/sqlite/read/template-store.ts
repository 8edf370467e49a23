/** Message templates in SQLite: reads, and the way to the writer. */

import {
  CarillonError,
  type MessageTemplate,
  type MessageTemplateId,
  type MessageTemplateSummary,
  type ProjectId,
  type TemplateProtocol,
  type TemplateStore,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  type TemplateRow,
  type TemplateSummaryRow,
  templateColumns,
  templateSummaryColumns,
} from "../schema/template-row.ts";
import { Conditions } from "./conditions.ts";

export function createTemplateStore({
  reader,
  writer,
}: Connections): TemplateStore {
  /** Parameters: id, project. Index: templates_id. */
  const byId = reader.prepare<TemplateRow>(
    `SELECT ${templateColumns} FROM templates
     WHERE id = ? AND project_id = ? AND deleted_at IS NULL`,
  );
  /**
   * All variants of a name; asked when publishing by template.
   * Parameters: project, name. Index: templates_name.
   */
  const variants = reader.prepare<TemplateRow>(
    `SELECT ${templateColumns} FROM templates INDEXED BY templates_name
     WHERE project_id = ? AND name = ? AND deleted_at IS NULL
     ORDER BY seq`,
  );

  return {
    async findTemplate(projectId, id) {
      const row = byId.get(id, projectId);
      return row && toTemplate(row);
    },
    async findTemplateVariants(projectId, name) {
      return variants.all(projectId, name).map(toTemplate);
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
          `SELECT ${templateSummaryColumns} FROM templates ${where.sql}
           ORDER BY seq LIMIT ? OFFSET ?`,
        )
        .all(...where.values, limit, marker === undefined ? offset : 0);
      return { total, items: rows.map(toSummary) };
    },
    async createTemplate(template, quota) {
      const result = await writer.run(
        "createTemplate",
        [
          template.id,
          template.projectId,
          template.name,
          template.protocol,
          JSON.stringify(template.tagNames),
          template.createdAt,
          template.updatedAt,
          template.content,
        ],
        quota,
      );
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
        default:
          return { ...template, seq: result.seq };
      }
    },
    updateTemplate: (projectId, id, { content, tagNames, updatedAt }) =>
      writer.run(
        "updateTemplate",
        projectId,
        id,
        content,
        JSON.stringify(tagNames),
        updatedAt,
      ),
    deleteTemplate: (projectId, id, at) =>
      writer.run("deleteTemplate", projectId, id, at),
  };
}

function toTemplate(row: TemplateRow): MessageTemplate {
  const [
    seq,
    id,
    projectId,
    name,
    protocol,
    tagNames,
    createdAt,
    updatedAt,
    content,
  ] = row;
  const summary: TemplateSummaryRow = [
    seq,
    id,
    projectId,
    name,
    protocol,
    tagNames,
    createdAt,
    updatedAt,
  ];
  return { ...toSummary(summary), content };
}

function toSummary(row: TemplateSummaryRow): MessageTemplateSummary {
  const [seq, id, projectId, name, protocol, tagNames, createdAt, updatedAt] =
    row;
  return {
    seq,
    id: id as MessageTemplateId,
    projectId: projectId as ProjectId,
    name,
    // Only createTemplate writes these two columns.
    protocol: protocol as TemplateProtocol,
    tagNames: JSON.parse(tagNames) as string[],
    createdAt,
    updatedAt,
  };
}
