/** What owners do with message templates, and what publishing makes of them. */

import { CarillonError } from "../errors.ts";
import type { NewId, ProjectId } from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { Page, PageRequest } from "../ports/page.ts";
import type {
  MessageTemplateSummary,
  TemplateFilter,
  TemplateStore,
} from "../ports/template-store.ts";
import type { Protocols } from "../subscriptions/protocol.ts";
import {
  checkTemplateContent,
  checkTemplateId,
  checkTemplateName,
  checkTemplateProtocol,
  defaultTemplatesPerProject,
  type MessageTemplate,
  type MessageTemplateId,
  parseTemplate,
  type TemplateProtocol,
} from "./template.ts";

export interface TemplatesOptions {
  /** Templates a project may have; each variant counts. */
  readonly quota?: () => number;
}

/** A template as its owner hands it over; unchecked. */
export interface CreateTemplateRequest {
  readonly name: unknown;
  /** Absent: `default`. */
  readonly protocol?: unknown;
  readonly content: unknown;
}

/** Keeps message templates, and renders them for publishing. */
export interface Templates {
  /**
   * @throws CarillonError TEMPLATE_NAME_INVALID, PROTOCOL_INVALID,
   * TEMPLATE_CONTENT_INVALID, TEMPLATE_VARIABLES_EXCEEDED, TEMPLATE_EXISTS,
   * TEMPLATE_QUOTA_EXCEEDED
   */
  create(
    projectId: ProjectId,
    request: CreateTemplateRequest,
  ): Promise<MessageTemplate>;
  list(
    projectId: ProjectId,
    filter: TemplateFilter,
    page: PageRequest,
  ): Promise<Page<MessageTemplateSummary>>;
  /** @throws CarillonError TEMPLATE_ID_INVALID, TEMPLATE_NOT_FOUND */
  get(projectId: ProjectId, id: unknown): Promise<MessageTemplate>;
  /**
   * Gives a template new content; name and protocol stay.
   *
   * @throws CarillonError TEMPLATE_ID_INVALID, TEMPLATE_CONTENT_INVALID,
   * TEMPLATE_VARIABLES_EXCEEDED, TEMPLATE_NOT_FOUND
   */
  update(projectId: ProjectId, id: unknown, content: unknown): Promise<void>;
  /** @throws CarillonError TEMPLATE_ID_INVALID, TEMPLATE_NOT_FOUND */
  remove(projectId: ProjectId, id: unknown): Promise<void>;
}

/** Builds the operations on message templates. */
export function createTemplates(
  ports: {
    readonly store: TemplateStore;
    readonly clock: Clock;
    readonly newId: NewId<MessageTemplateId>;
    readonly protocols: Pick<Protocols, "find" | "problemWithText">;
  },
  options: TemplatesOptions = {},
): Templates {
  const { store, clock, newId, protocols } = ports;
  const { quota = () => defaultTemplatesPerProject } = options;

  /** Placeholders are no problem: what tags bring is looked at with them. */
  function checkContent(protocol: TemplateProtocol, content: unknown): string {
    const checked = checkTemplateContent(content);
    const problem = protocols.problemWithText(protocol, checked);
    if (problem === undefined) return checked;
    throw new CarillonError(
      "TEMPLATE_CONTENT_INVALID",
      `Invalid template content: the text for ${protocol} holds ${problem}.`,
    );
  }

  async function get(projectId: ProjectId, id: unknown) {
    const found = await store.findTemplate(projectId, checkTemplateId(id));
    if (!found) throw templateNotFound();
    return found;
  }

  return {
    create: async (projectId, request) => {
      const name = checkTemplateName(request.name);
      const protocol = checkTemplateProtocol(request.protocol, protocols);
      const content = checkContent(protocol, request.content);
      const now = clock.now();
      return await store.createTemplate(
        {
          id: newId(),
          projectId,
          name,
          protocol,
          content,
          tagNames: parseTemplate(content).tagNames,
          createdAt: now,
          updatedAt: now,
        },
        quota(),
      );
    },
    list: (projectId, filter, page) =>
      store.listTemplates(projectId, filter, page),
    get,
    async update(projectId, id, content) {
      const checkedId = checkTemplateId(id);
      const { protocol } = await get(projectId, checkedId);
      const checked = checkContent(protocol, content);
      const found = await store.updateTemplate(projectId, checkedId, {
        content: checked,
        tagNames: parseTemplate(checked).tagNames,
        updatedAt: clock.now(),
      });
      if (!found) throw templateNotFound();
    },
    async remove(projectId, id) {
      const found = await store.deleteTemplate(
        projectId,
        checkTemplateId(id),
        clock.now(),
      );
      if (!found) throw templateNotFound();
    },
  };
}

function templateNotFound(): CarillonError {
  return new CarillonError("TEMPLATE_NOT_FOUND", "Message template not found.");
}
