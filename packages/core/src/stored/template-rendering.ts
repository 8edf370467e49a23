/** What a template of stored messages makes of a context. */

import { CarillonError } from "../errors.ts";
import type { HtmlCheck, HtmlProblem } from "../ports/html-check.ts";
import type {
  TemplateEngine,
  TemplateProblem,
  TemplateRenderOptions,
} from "../ports/template-engine.ts";
import type { RenderedTemplate, StoredTemplate } from "./stored-templates.ts";
import {
  checkTemplateContext,
  type TemplateContext,
} from "./template-context.ts";
import { invalidTemplate, storedTemplateLimits } from "./template-fields.ts";
import type { TemplateHooks } from "./template-hooks.ts";

/** How HTML of mails is made; see the configuration's `email`. */
export interface MailTemplateOptions {
  /** Names of tags that bodies may not have, in lower case. */
  readonly bannedTags: readonly string[];
  /** Around each body; absent: none. */
  readonly baseTemplate?:
    | { readonly slug: string }
    | { readonly file: string }
    | undefined;
  /** The variable of the base template that is the body. */
  readonly contentBlock: string;
  /** False: bodies are whole, and no base template is put around them. */
  readonly extendBody: boolean;
}

export interface RenderingPorts {
  readonly engine: TemplateEngine;
  readonly htmlCheck: HtmlCheck;
  readonly hooks?: TemplateHooks | undefined;
  readonly mails: () => MailTemplateOptions;
  /** @throws whatever keeps it from being read */
  readonly readBaseFile: (file: string) => Promise<string>;
}

export interface TemplateRendering {
  /** @throws CarillonError TEMPLATE_INVALID, with line and column */
  check(template: Pick<StoredTemplate, CheckedPart>): Promise<void>;
  /**
   * @param findBase the mail template of a slug
   * @throws CarillonError TEMPLATE_CONTEXT_INVALID, TEMPLATE_RENDERING_FAILED
   */
  render(
    template: StoredTemplate,
    context: unknown,
    recipient: string,
    findBase: (slug: string) => Promise<StoredTemplate | undefined>,
  ): Promise<RenderedTemplate>;
}

type CheckedPart = "channel" | "body" | "subject" | "isHtml";

export function createTemplateRendering(
  ports: RenderingPorts,
): TemplateRendering {
  const { engine, htmlCheck, hooks = {}, mails, readBaseFile } = ports;

  /** @throws CarillonError TEMPLATE_RENDERING_FAILED */
  async function renderPart(
    template: StoredTemplate,
    part: string,
    source: string,
    context: TemplateContext,
    options: Omit<TemplateRenderOptions, "isStrict">,
  ): Promise<string> {
    const { isStrict, slug } = template;
    const result = await engine.render(source, context, {
      ...options,
      isStrict,
    });
    if ("text" in result) return result.text;
    throw failed(slug, `${part}, ${textOf(result.problem)}`);
  }

  async function renderBody(
    template: StoredTemplate,
    context: TemplateContext,
    recipient: string,
  ): Promise<string> {
    const { channel } = template;
    const source = (await hooks.getBody?.(template)) ?? template.body;
    const render = (body: string, values: TemplateContext) =>
      renderPart(template, "body", body, values, {
        escaping: isHtmlTemplate(template) ? "html" : "none",
        maxLength: storedTemplateLimits.renderedLength[channel],
      });
    return hooks.renderBody
      ? await hooks.renderBody(source, context, recipient, render)
      : await render(source, context);
  }

  /** Nothing is put around the base template itself. */
  async function extend(
    template: StoredTemplate,
    html: string,
    context: TemplateContext,
    findBase: (slug: string) => Promise<StoredTemplate | undefined>,
  ): Promise<string> {
    const { baseTemplate, contentBlock, extendBody } = mails();
    if (baseTemplate === undefined || !extendBody) return html;
    if ("slug" in baseTemplate && baseTemplate.slug === template.slug) {
      return html;
    }
    return await renderPart(
      template,
      "base template",
      await readBase(template.slug, baseTemplate, findBase),
      context,
      {
        escaping: "html",
        maxLength: storedTemplateLimits.renderedLength.email,
        safe: { [contentBlock]: html },
      },
    );
  }

  async function readBase(
    slug: string,
    base: NonNullable<MailTemplateOptions["baseTemplate"]>,
    findBase: (slug: string) => Promise<StoredTemplate | undefined>,
  ): Promise<string> {
    if ("slug" in base) {
      const found = await findBase(base.slug);
      if (found) return found.body;
      throw failed(slug, `there is no base template ${base.slug}`);
    }
    try {
      return await readBaseFile(base.file);
    } catch (cause) {
      throw failed(slug, "the file of the base template cannot be read", cause);
    }
  }

  async function renderSubject(
    template: StoredTemplate,
    context: TemplateContext,
  ): Promise<string | undefined> {
    if (template.subject === undefined) return undefined;
    const { subjectLength } = storedTemplateLimits;
    const subject = await renderPart(
      template,
      "subject",
      template.subject,
      context,
      { escaping: "none", maxLength: subjectLength },
    );
    if (/[\r\n\u2028\u2029\0]/.test(subject)) {
      throw failed(template.slug, "the subject becomes more than one line");
    }
    return subject;
  }

  return {
    async check({ channel, body, subject, ...template }) {
      for (const [part, source] of [
        ["body", body],
        ["subject", subject],
      ] as const) {
        if (source === undefined) continue;
        const [problem] = await engine.check(source);
        if (problem) throw invalidTemplate(`${part}, ${textOf(problem)}`);
      }
      if (!isHtmlTemplate({ channel, ...template })) return;
      const { bannedTags } = mails();
      const found = await htmlCheck.findProblem(body, bannedTags, "source");
      if (found) throw invalidTemplate(`body, ${textOfHtml(body, found)}`);
    },
    async render(template, given, recipient, findBase) {
      const checked = checkTemplateContext(given);
      const context = hooks.updateContext
        ? checkTemplateContext(await hooks.updateContext(checked, recipient))
        : checked;
      const body = await renderBody(template, context, recipient);
      if (template.channel === "sms") return { template, text: body };
      const subject = await renderSubject(template, context);
      const mail = { template, ...(subject !== undefined && { subject }) };
      if (!isHtmlTemplate(template)) return { ...mail, text: body };
      const html = await extend(template, body, context, findBase);
      const { bannedTags } = mails();
      const found = await htmlCheck.findProblem(html, bannedTags, "rendered");
      if (!found) return { ...mail, html };
      throw failed(template.slug, `in the HTML, ${textOfHtml(html, found)}`);
    },
  };
}

function isHtmlTemplate({
  channel,
  isHtml,
}: Pick<StoredTemplate, "channel" | "isHtml">): boolean {
  return channel === "email" && isHtml !== false;
}

/** The text of a template is its owner's, and tells where to look. */
function textOf({ message, line, column, text }: TemplateProblem): string {
  const sentence = message.replace(/\.$/, "");
  return `line ${line}, column ${column}: ${sentence}, in: ${text.trim()}`;
}

function textOfHtml(body: string, { problem, at }: HtmlProblem): string {
  const before = body.slice(0, at).split("\n");
  const [text = ""] = body.slice(at).split("\n");
  return textOf({
    message: problem,
    line: before.length,
    column: [...(before.at(-1) ?? "")].length + 1,
    text: text.slice(0, 200),
  });
}

function failed(slug: string, what: string, cause?: unknown): CarillonError {
  return new CarillonError(
    "TEMPLATE_RENDERING_FAILED",
    `The template ${slug} cannot be rendered: ${what}.`,
    { cause },
  );
}
