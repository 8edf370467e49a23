/** What `email` of the configuration says of templates. */

import { type MailTemplateOptions, storedTemplateLimits } from "@carillon/core";
import { readAtMost } from "../bounded-file.ts";
import { Type } from "../json-schema.ts";

const common = { group: "E-mail", reloadable: true } as const;

/** What mail clients do not show, or what runs in them. */
export const defaultBannedTags = [
  "applet",
  "amp-iframe",
  "canvas",
  "embed",
  "noscript",
  "object",
  "script",
  "video",
];

/** Members of the section `email`. */
export const mailTemplateSettings = {
  baseTemplate: Type.Optional(
    Type.String({
      ...common,
      description:
        "What is put around the HTML of templates: the slug of a mail template, or the path of a file, which has a slash or a dot in it and is read again at each reload. A relative path starts in the folder that the server was started in.",
      expected: "a slug, or the path of a file",
      example: "base",
      pattern: "^[^\\0]+$",
    }),
  ),
  contentBlock: Type.String({
    ...common,
    description:
      "Variable of the base template that is the HTML of the template, as in `{{ email_content }}`.",
    expected: "a name of letters, digits and underscores",
    default: "email_content",
    pattern: "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
  }),
  extendBody: Type.Boolean({
    ...common,
    description:
      "Whether the base template is put around templates; without it they are whole documents.",
    expected: "true or false",
    default: true,
  }),
  bannedTags: Type.Array(Type.String(), {
    ...common,
    description:
      "HTML tags that mails made from templates may not have. Templates with one of them are refused, and so are values that bring one.",
    expected: "names of tags, separated by commas",
    default: defaultBannedTags,
    uniqueItems: true,
  }),
};

/** The settings of templates, as the configuration has them. */
export interface MailTemplateSettings
  extends Omit<MailTemplateOptions, "baseTemplate"> {
  readonly baseTemplate?: string | undefined;
}

export function toMailTemplateOptions({
  baseTemplate,
  bannedTags,
  contentBlock,
  extendBody,
}: MailTemplateSettings): MailTemplateOptions {
  const isSlug = /^[A-Za-z0-9_-]{1,100}$/.test(baseTemplate ?? "");
  return {
    bannedTags: bannedTags.map((tag) => tag.toLowerCase()),
    contentBlock,
    extendBody,
    ...(baseTemplate !== undefined && {
      baseTemplate: isSlug ? { slug: baseTemplate } : { file: baseTemplate },
    }),
  };
}

/**
 * The file of a base template, with or without the mark that some editors put in
 * front.
 *
 * @throws Error with a clause as its message, or as `readFileSync` does
 */
export function readBaseFile(path: string): string {
  const most = storedTemplateLimits.bodyLength.email;
  // Four bytes for a character, at most.
  const text = readAtMost(path, 4 * most)
    ?.toString("utf8")
    .replace(/^\uFEFF/, "");
  if (text === undefined || text.length > most) {
    throw new Error(`it has more than ${most} characters`);
  }
  return text;
}
