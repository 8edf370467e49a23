/** Message templates: texts with `{tags}`, in variants by protocol. */

import type { Api } from "../api.ts";
import { DuplicateResourceError } from "../errors.ts";
import {
  findNumber,
  findText,
  findTexts,
  type JsonObject,
  readObjects,
  readText,
} from "../json.ts";
import { type PagingOptions, paginate } from "../paging.ts";
import type { RequestOptions } from "../transport.ts";
import {
  type DeleteOptions,
  deleted,
  type FindOptions,
  foundOrNot,
  notFound,
} from "./missing.ts";
import { isId, type TemplateReference, toTemplateId } from "./references.ts";
import type { Protocol } from "./subscriptions.ts";

/** The variant for protocols that have none of their own. */
export type TemplateProtocol = "default" | Protocol;

/** A template as lists have it, without its content. */
export interface Template {
  readonly messageTemplateId: string;
  /** Shared by the variants for several protocols. */
  readonly messageTemplateName: string;
  readonly protocol: TemplateProtocol;
  /** What is in braces, each once. */
  readonly tagNames: readonly string[];
  /** UTC, `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly createTime: string | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly updateTime: string | undefined;
}

/** A template with its content. */
export interface TemplateDetail extends Template {
  readonly content: string;
}

/** What a new template needs. */
export interface NewTemplate {
  /** Letters, digits, `_` and `-`; starts with a letter or digit. */
  readonly messageTemplateName: string;
  readonly content: string;
  /** Default `default`. */
  readonly protocol?: TemplateProtocol | undefined;
}

/** A template that was just made. */
export interface CreatedTemplate {
  readonly messageTemplateId: string;
  readonly messageTemplateName: string;
  readonly protocol: TemplateProtocol;
  readonly requestId: string | undefined;
}

/** What of a template is changed. */
export interface TemplateChange {
  readonly content: string;
}

/** A template after it was changed. */
export interface UpdatedTemplate {
  readonly messageTemplateId: string;
  readonly content: string;
  readonly requestId: string | undefined;
}

/** Which templates are listed. */
export interface TemplateQuery extends PagingOptions {
  readonly name?: string | undefined;
  readonly protocol?: TemplateProtocol | undefined;
}

/** Which variant of a template is looked for. */
export interface FindTemplateOptions extends FindOptions {
  /** Which variant of a name that has several. */
  readonly protocol?: TemplateProtocol | undefined;
}

/** Creates, lists, finds, changes and deletes message templates. */
export interface TemplateOperations {
  /** @throws BadRequestError if name and protocol are taken */
  createTemplate(
    template: NewTemplate,
    options?: RequestOptions,
  ): Promise<CreatedTemplate>;
  /** Twice is fine. */
  deleteTemplate(
    template: TemplateReference,
    options?: DeleteOptions,
  ): Promise<void>;
  /** All templates, oldest first; pages are fetched as they are needed. */
  templates(
    query?: TemplateQuery,
    options?: RequestOptions,
  ): AsyncGenerator<Template, void, undefined>;
  /** @throws ResourceNotFoundError */
  getTemplate(
    template: TemplateReference,
    options?: RequestOptions,
  ): Promise<TemplateDetail>;
  /**
   * Looks for a template by id or name.
   * @throws ResourceNotFoundError unless `ignoreMissing` is true
   * @throws DuplicateResourceError if there are several variants and no
   *   `protocol` is given
   */
  findTemplate(
    nameOrId: string,
    options?: FindTemplateOptions & {
      readonly ignoreMissing?: false | undefined;
    },
  ): Promise<Template>;
  findTemplate(
    nameOrId: string,
    options: FindTemplateOptions,
  ): Promise<Template | undefined>;
  /** Changes the content; name and protocol stay. */
  updateTemplate(
    template: TemplateReference,
    change: TemplateChange,
    options?: RequestOptions,
  ): Promise<UpdatedTemplate>;
}

const templatesPath = ["notifications", "message_template"] as const;

export function createTemplateOperations(api: Api): TemplateOperations {
  return {
    async createTemplate(template, options) {
      const { messageTemplateName, content, protocol = "default" } = template;
      const answer = await api(
        {
          method: "POST",
          path: templatesPath,
          body: {
            message_template_name: messageTemplateName,
            protocol,
            content,
          },
        },
        options,
      );
      return {
        messageTemplateId: readText(answer.body, "message_template_id"),
        messageTemplateName,
        protocol,
        requestId: answer.requestId,
      };
    },

    async deleteTemplate(template, options = {}) {
      const path = [...templatesPath, toTemplateId(template)];
      await deleted(api({ method: "DELETE", path }, options), options);
    },

    templates: (query, options) => listTemplates(api, query, options),
    getTemplate: (template, options) =>
      getTemplate(api, toTemplateId(template), options),
    findTemplate: (nameOrId: string, options?: FindTemplateOptions) =>
      // One body for both promises: it rejects where they differ.
      findTemplate(api, nameOrId, options) as Promise<Template>,

    async updateTemplate(template, { content }, options) {
      const messageTemplateId = toTemplateId(template);
      const path = [...templatesPath, messageTemplateId];
      const body = { content };
      const { requestId } = await api({ method: "PUT", path, body }, options);
      return { messageTemplateId, content, requestId };
    },
  };
}

function listTemplates(
  api: Api,
  query: TemplateQuery = {},
  options?: RequestOptions,
): AsyncGenerator<Template, void, undefined> {
  return paginate(
    async (page) => {
      const { body } = await api(
        {
          method: "GET",
          path: templatesPath,
          query: {
            ...page,
            message_template_name: query.name,
            protocol: query.protocol,
          },
        },
        options,
      );
      return {
        items: readObjects(body, "message_templates").map(toTemplate),
        total: findNumber(body, "message_template_count"),
      };
    },
    (template) => template.messageTemplateId,
    query,
  );
}

async function getTemplate(
  api: Api,
  id: string,
  options?: RequestOptions,
): Promise<TemplateDetail> {
  const path = [...templatesPath, id];
  const { body } = await api({ method: "GET", path }, options);
  return { ...toTemplate(body), content: findText(body, "content") ?? "" };
}

async function findTemplate(
  api: Api,
  nameOrId: string,
  options: FindTemplateOptions = {},
): Promise<Template | undefined> {
  const reference = toTemplateId(nameOrId);
  const byId = isId(reference)
    ? await foundOrNot(getTemplate(api, reference, options))
    : undefined;
  const template = byId ?? (await searchTemplate(api, reference, options));
  if (template === undefined && !options.ignoreMissing) {
    throw notFound("template", nameOrId);
  }
  return template;
}

async function searchTemplate(
  api: Api,
  name: string,
  options: FindTemplateOptions,
): Promise<Template | undefined> {
  const { protocol } = options;
  const variants: Template[] = [];
  for await (const template of listTemplates(
    api,
    { name, protocol },
    options,
  )) {
    // Looked at again: not every service knows the filters.
    if (template.messageTemplateName !== name) continue;
    if (protocol !== undefined && template.protocol !== protocol) continue;
    variants.push(template);
  }
  if (variants.length > 1) {
    const protocols = variants.map((variant) => variant.protocol).join(", ");
    throw new DuplicateResourceError(
      `Template "${name}" has variants for ${protocols}; say which with the option protocol.`,
    );
  }
  return variants[0];
}

function toTemplate(body: JsonObject): Template {
  return {
    messageTemplateId: readText(body, "message_template_id"),
    messageTemplateName: findText(body, "message_template_name") ?? "",
    protocol: findText(body, "protocol") ?? "default",
    tagNames: findTexts(body, "tag_names"),
    createTime: findText(body, "create_time"),
    updateTime: findText(body, "update_time"),
  };
}
