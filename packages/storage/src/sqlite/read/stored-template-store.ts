/** Templates of stored messages in SQLite: reads, and the way to the writer. */

import { CarillonError, type StoredTemplateStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  allSlugs,
  type DisallowedRow,
  disallowedObjects,
  type StoredTemplateRow,
  type StoredTemplateSummaryRow,
  storedTemplateSummaries,
  storedTemplates,
  type TemplateAttachmentRow,
  templateAttachments,
} from "../schema/stored-template-table.ts";
import { Conditions } from "./conditions.ts";

export function createStoredTemplateStore({
  reader,
  writer,
}: Connections): StoredTemplateStore {
  /**
   * Asked for each message that a template makes.
   * Parameters: project, channel, slug. Index: stored_templates_slug.
   */
  const bySlug = reader.prepare<StoredTemplateRow>(
    `SELECT ${storedTemplates.columns()} FROM stored_templates
     WHERE project_id = ? AND channel = ? AND slug = ?`,
  );
  /**
   * Parameters: project, channel, slug. Indexes: stored_templates_slug, the
   * primary key.
   */
  const attachmentsOf = reader.prepare<TemplateAttachmentRow>(
    `SELECT ${templateAttachments.columns()} FROM stored_template_attachments
     WHERE template_seq = (
       SELECT seq FROM stored_templates
       WHERE project_id = ? AND channel = ? AND slug = ?)
     ORDER BY position`,
  );
  /**
   * Asked for each message that a template makes about something.
   * Parameters: project, channel, slug, type, id. Index: the primary key.
   */
  const disallowed = reader.prepare<[one: number]>(
    `SELECT 1 FROM disallowed_objects
     WHERE project_id = ? AND channel = ? AND slug IN ('${allSlugs}', ?)
       AND type = ? AND id = ? LIMIT 1`,
  );
  /**
   * Parameters: project, channel, slug, type and id of the one before, limit.
   * Index: the primary key.
   */
  const disallowedPage = reader.prepare<DisallowedRow>(
    `SELECT ${disallowedObjects.columns()} FROM disallowed_objects
     WHERE project_id = ? AND channel = ? AND slug = ? AND (type, id) > (?, ?)
     ORDER BY type, id LIMIT ?`,
  );

  return {
    async findStoredTemplate(projectId, { channel, slug }) {
      const row = bySlug.get(projectId, channel, slug);
      if (!row) return undefined;
      const attachments =
        channel === "email"
          ? attachmentsOf
              .all(projectId, channel, slug)
              .map((it) => templateAttachments.fromRow(it))
          : [];
      return {
        ...storedTemplates.fromRow(row),
        ...(attachments.length > 0 && { attachments }),
      };
    },
    async listStoredTemplates(projectId, channel, { limit, after }) {
      // Index: stored_templates_slug.
      const where = new Conditions()
        .add("project_id = ?", projectId)
        .addIfSet("channel = ?", channel);
      if (after) {
        where.add("(channel, slug) > (?, ?)", after.channel, after.slug);
      }
      return reader
        .prepared<StoredTemplateSummaryRow>(
          `SELECT ${storedTemplateSummaries.columns()} FROM stored_templates
           ${where.sql} ORDER BY channel, slug LIMIT ?`,
        )
        .all(...where.values, limit)
        .map((row) => storedTemplateSummaries.fromRow(row));
    },
    async putStoredTemplate(projectId, template, condition, quota) {
      const result = await writer.run(
        "putStoredTemplate",
        projectId,
        template,
        condition,
        quota,
      );
      switch (result) {
        case "put":
          return true;
        case "refused":
          return false;
        case "TEMPLATE_QUOTA_EXCEEDED":
          throw new CarillonError(
            result,
            `The project has ${quota} templates of stored messages, as many as it may: delete one first.`,
          );
        case "PROJECT_DELETED":
          throw new CarillonError(result);
      }
    },
    deleteStoredTemplate: (projectId, key) =>
      writer.run("deleteStoredTemplate", projectId, key),
    async disallowObjects(projectId, scope, objects, at) {
      const result = await writer.run(
        "disallowObjects",
        projectId,
        scope,
        objects,
        at,
      );
      if (result === "PROJECT_DELETED") throw new CarillonError(result);
    },
    allowObjects: (projectId, scope, objects) =>
      writer.run("allowObjects", projectId, scope, objects),
    async listDisallowedObjects(projectId, scope, { limit, after }) {
      const { channel, slug = allSlugs } = scope;
      const { type, id } = after ?? { type: "", id: "" };
      return disallowedPage
        .all(projectId, channel, slug, type, id, limit)
        .map((row) => disallowedObjects.fromRow(row));
    },
    async isDisallowed(projectId, { channel, slug }, objects) {
      return objects.some(({ type, id }) =>
        disallowed.get(projectId, channel, slug, type, id),
      );
    },
  };
}
