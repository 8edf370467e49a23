import type { ProjectId } from "../ids.ts";
import type {
  MessageTemplate,
  MessageTemplateId,
  NewMessageTemplate,
} from "../templates/template.ts";
import type { EpochMs } from "../time.ts";
import type { Page, PageRequest } from "./page.ts";

export interface TemplateReader {
  findTemplate(
    projectId: ProjectId,
    id: MessageTemplateId,
  ): Promise<MessageTemplate | undefined>;
  /** All variants of a name, oldest first. */
  findTemplateVariants(
    projectId: ProjectId,
    name: string,
  ): Promise<readonly MessageTemplate[]>;
  /** Oldest first. */
  listTemplates(
    projectId: ProjectId,
    filter: TemplateFilter,
    page: PageRequest,
  ): Promise<Page<MessageTemplateSummary>>;
}

export interface TemplateFilter {
  readonly name?: string;
  readonly protocol?: string;
}

/** Lists leave the content out: a page of them could have 25 MB. */
export type MessageTemplateSummary = Omit<MessageTemplate, "content">;

/** Keeps message templates, one row per name and protocol. */
export interface TemplateStore extends TemplateReader {
  /** @throws CarillonError TEMPLATE_EXISTS, TEMPLATE_QUOTA_EXCEEDED */
  createTemplate(
    template: NewMessageTemplate,
    quota: number,
  ): Promise<MessageTemplate>;
  /** Answers false when there is no such template. */
  updateTemplate(
    projectId: ProjectId,
    id: MessageTemplateId,
    change: Pick<MessageTemplate, "content" | "tagNames" | "updatedAt">,
  ): Promise<boolean>;
  /** Answers false when there is no such template. */
  deleteTemplate(
    projectId: ProjectId,
    id: MessageTemplateId,
    at: EpochMs,
  ): Promise<boolean>;
}
