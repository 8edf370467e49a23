/** Message templates of the in-memory store. */

import {
  CarillonError,
  type MessageTemplate,
  type MessageTemplateId,
  type MessageTemplateSummary,
  type NewMessageTemplate,
  type Page,
  type PageRequest,
  type ProjectId,
  type TemplateFilter,
} from "@carillon/core";
import { cutPage, equals, seqOfMarker } from "./memory-lists.ts";

export class MemoryTemplates {
  /** All that ever were, by number: markers name deleted ones. */
  readonly #templates = new Map<number, MessageTemplate>();
  readonly #deleted = new Set<number>();

  findTemplate(
    projectId: ProjectId,
    id: MessageTemplateId,
  ): MessageTemplate | undefined {
    return this.#templatesOf(projectId).find((it) => it.id === id);
  }

  findTemplateVariants(
    projectId: ProjectId,
    name: string,
  ): readonly MessageTemplate[] {
    return this.#templatesOf(projectId).filter((it) => it.name === name);
  }

  listTemplates(
    projectId: ProjectId,
    filter: TemplateFilter,
    page: PageRequest,
  ): Page<MessageTemplateSummary> {
    const matching = this.#templatesOf(projectId).filter((it) =>
      equals(it, filter),
    );
    const last = seqOfMarker(this.#templates, projectId, page);
    const { total, items } = cutPage(matching, page, (it) => it.seq > last);
    return { total, items: items.map(({ content: _, ...summary }) => summary) };
  }

  createTemplate(template: NewMessageTemplate, quota: number): MessageTemplate {
    const { projectId, name, protocol } = template;
    const siblings = this.#templatesOf(projectId);
    if (siblings.some((it) => equals(it, { name, protocol }))) {
      throw new CarillonError("TEMPLATE_EXISTS");
    }
    if (siblings.length >= quota) {
      throw new CarillonError("TEMPLATE_QUOTA_EXCEEDED");
    }
    const created = { ...template, seq: this.#templates.size + 1 };
    this.#templates.set(created.seq, created);
    return created;
  }

  updateTemplate(
    projectId: ProjectId,
    id: MessageTemplateId,
    change: Pick<MessageTemplate, "content" | "tagNames" | "updatedAt">,
  ): boolean {
    const known = this.findTemplate(projectId, id);
    if (!known) return false;
    this.#templates.set(known.seq, { ...known, ...change });
    return true;
  }

  deleteTemplate(projectId: ProjectId, id: MessageTemplateId): boolean {
    const known = this.findTemplate(projectId, id);
    if (!known) return false;
    this.#deleted.add(known.seq);
    return true;
  }

  /** Those of a project that were not deleted, oldest first. */
  #templatesOf(projectId: ProjectId): MessageTemplate[] {
    return [...this.#templates.values()].filter(
      (it) => it.projectId === projectId && !this.#deleted.has(it.seq),
    );
  }
}
