/** Message templates of the in-memory store. */

import {
  CarillonError,
  type MessageTemplate,
  type MessageTemplateId,
  type ProjectId,
  type TemplateStore,
} from "@carillon/core";
import { checkProject } from "./directory.ts";
import { cutPage, equals, seqOfMarker } from "./lists.ts";
import type { Tables } from "./tables.ts";

export function createTemplateStore(tables: Tables): TemplateStore {
  const { templates, deletedTemplates, write } = tables;

  /** Those of a project that were not deleted, oldest first. */
  function listOf(projectId: ProjectId): MessageTemplate[] {
    return templates
      .list()
      .filter(
        (it) => it.projectId === projectId && !deletedTemplates.has(it.seq),
      );
  }

  function find(projectId: ProjectId, id: MessageTemplateId) {
    return listOf(projectId).find((it) => it.id === id);
  }

  return {
    findTemplate: async (projectId, id) => find(projectId, id),
    findTemplateVariants: async (projectId, name) =>
      listOf(projectId).filter((it) => it.name === name),
    async listTemplates(projectId, filter, page) {
      const matching = listOf(projectId).filter((it) => equals(it, filter));
      const last = seqOfMarker(templates.list(), projectId, page);
      const { total, items } = cutPage(matching, page, (it) => it.seq > last);
      return {
        total,
        items: items.map(({ content: _, ...summary }) => summary),
      };
    },
    createTemplate: (template, quota) =>
      write(() => {
        const { projectId, name, protocol } = template;
        const siblings = listOf(projectId);
        if (siblings.some((it) => equals(it, { name, protocol }))) {
          throw new CarillonError("TEMPLATE_EXISTS");
        }
        if (siblings.length >= quota) {
          throw new CarillonError("TEMPLATE_QUOTA_EXCEEDED");
        }
        checkProject(tables, projectId);
        const seq = templates.size + 1;
        return templates.put(seq, { ...template, seq });
      }),
    updateTemplate: (projectId, id, change) =>
      write(() => {
        const known = find(projectId, id);
        if (known) templates.put(known.seq, { ...known, ...change });
        return known !== undefined;
      }),
    deleteTemplate: (projectId, id) =>
      write(() => {
        const known = find(projectId, id);
        if (known) deletedTemplates.put(known.seq, {});
        return known !== undefined;
      }),
  };
}
