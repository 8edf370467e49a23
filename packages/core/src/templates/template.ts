/**
 * SMN message templates: text with `{tag}` placeholders, stored in one variant
 * per protocol. Publishing by template resolves and renders all variants at
 * once: what happens to a template later does not reach accepted messages.
 */

import { CarillonError } from "../errors.ts";
import { isHexId, type ProjectId } from "../ids.ts";
import { type MessageContent, maxMessageBytes } from "../messages/message.ts";
import type { Protocol, Protocols } from "../subscriptions/protocol.ts";
import { checkStorable, fitsUtf8 } from "../text.ts";
import type { EpochMs } from "../time.ts";
import { isSmnProtocol } from "./smn-protocols.ts";

declare const brand: unique symbol;

/** Id of a template; each protocol's variant has its own. */
export type MessageTemplateId = string & {
  readonly [brand]: "MessageTemplateId";
};

/** `default` serves every protocol that has no variant of its own. */
export type TemplateProtocol = "default" | Protocol;

/** A template: its text for one protocol, or for all that have none. */
export interface MessageTemplate {
  /** The store's own number; grows with creation. */
  readonly seq: number;
  readonly id: MessageTemplateId;
  readonly projectId: ProjectId;
  /** Unique together with `protocol`. */
  readonly name: string;
  readonly protocol: TemplateProtocol;
  readonly content: string;
  /** Distinct, in order of first appearance. */
  readonly tagNames: readonly string[];
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
}

/** A template before the store gave it a number. */
export type NewMessageTemplate = Omit<MessageTemplate, "seq">;

/** Values of placeholders by tag; a map, for tags may be named `constructor`. */
export type TemplateTags = ReadonlyMap<string, string>;

/** Content cut at its placeholders, ready to be rendered many times. */
export interface ParsedTemplate {
  /** The text before the first placeholder. */
  readonly head: string;
  /** Each placeholder with the text that follows it. */
  readonly slots: readonly { readonly tag: string; readonly text: string }[];
  /** Distinct, in order of first appearance. */
  readonly tagNames: readonly string[];
}

/** Default quota of templates per project (SMN limits). */
export const defaultTemplatesPerProject = 100;

export const maxTemplatePlaceholders = 256;
export const maxTemplateTagNames = 90;

/** Bounds of one entry of `tags`: characters of its key, bytes of its value. */
const maxTagCharacters = 21;
const maxTagValueBytes = 1024;

/** @throws CarillonError TEMPLATE_ID_INVALID */
export function checkTemplateId(id: unknown): MessageTemplateId {
  // isHexId is the definition of the brand.
  if (typeof id === "string" && isHexId(id)) return id as MessageTemplateId;
  throw new CarillonError(
    "TEMPLATE_ID_INVALID",
    "Invalid template id: 32 lower-case hexadecimal characters.",
  );
}

/** @throws CarillonError TEMPLATE_NAME_INVALID */
export function checkTemplateName(name: unknown): string {
  if (
    typeof name === "string" &&
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(name)
  ) {
    return name;
  }
  throw new CarillonError(
    "TEMPLATE_NAME_INVALID",
    "Invalid template name: 1 to 64 letters, digits, '-' or '_', starting with a letter or digit.",
  );
}

/**
 * Absent means `default`.
 *
 * @throws CarillonError PROTOCOL_INVALID
 */
export function checkTemplateProtocol(
  protocol: unknown,
  protocols: Pick<Protocols, "find">,
): TemplateProtocol {
  if (protocol === undefined || protocol === null) return "default";
  if (protocol === "default") return protocol;
  if (
    typeof protocol === "string" &&
    (isSmnProtocol(protocol) || protocols.find(protocol))
  ) {
    return protocol;
  }
  throw new CarillonError(
    "PROTOCOL_INVALID",
    "Invalid template protocol: use default or one of SMN's protocols, such as email, sms, http, https.",
  );
}

/** @throws CarillonError TEMPLATE_CONTENT_INVALID, TEMPLATE_VARIABLES_EXCEEDED */
export function checkTemplateContent(content: unknown): string {
  if (
    typeof content !== "string" ||
    content === "" ||
    !fitsUtf8(content, maxMessageBytes)
  ) {
    throw new CarillonError(
      "TEMPLATE_CONTENT_INVALID",
      "Invalid template content: plain text of 1 byte to 256 KB.",
    );
  }
  checkStorable(content, "TEMPLATE_CONTENT_INVALID", "template content");
  const { slots, tagNames } = parseTemplate(content);
  if (
    slots.length > maxTemplatePlaceholders ||
    tagNames.length > maxTemplateTagNames
  ) {
    throw new CarillonError(
      "TEMPLATE_VARIABLES_EXCEEDED",
      `Too many placeholders: at most ${maxTemplatePlaceholders} of at most ${maxTemplateTagNames} names, these are ${slots.length} of ${tagNames.length}.`,
    );
  }
  return content;
}

/**
 * Checks the `tags` of a publish request; absent means none. Tags that no
 * placeholder asks for are kept and ignored.
 *
 * @throws CarillonError TEMPLATE_TAGS_INVALID
 */
export function checkTemplateTags(tags: unknown): TemplateTags {
  if (tags === undefined || tags === null) return new Map();
  if (typeof tags !== "object" || Array.isArray(tags)) {
    throw invalidTags("an object from names to text is expected");
  }
  const checked = new Map<string, string>();
  for (const [tag, value] of Object.entries(tags)) {
    if (tag.length > maxTagCharacters && [...tag].length > maxTagCharacters) {
      throw invalidTags(`a name has at most ${maxTagCharacters} characters`);
    }
    if (typeof value !== "string") throw invalidTags("values are text");
    if (!fitsUtf8(value, maxTagValueBytes)) {
      throw invalidTags(`a value has at most ${maxTagValueBytes} bytes`);
    }
    checkStorable(value, "TEMPLATE_TAGS_INVALID", "value of a template tag");
    checked.set(tag, value);
  }
  return checked;
}

/**
 * Cuts content at its placeholders: `{`, 1 to 21 letters, digits, `_`, `.` or
 * `-` of which the first is a letter or digit, `}`. All else is literal, other
 * braces too.
 */
export function parseTemplate(content: string): ParsedTemplate {
  const cuts = [...content.matchAll(/\{([A-Za-z0-9][A-Za-z0-9_.-]{0,20})\}/g)];
  const slots = cuts.map((cut, i) => ({
    tag: cut[1] ?? "",
    text: content.slice(cut.index + cut[0].length, cuts[i + 1]?.index),
  }));
  return {
    head: content.slice(0, cuts[0]?.index),
    slots,
    tagNames: [...new Set(slots.map(({ tag }) => tag))],
  };
}

/**
 * Puts the tags' values in; a missing tag leaves nothing. Values are not
 * looked through for placeholders.
 *
 * @param template content, or what `parseTemplate` made of it
 */
export function renderTemplate(
  template: string | ParsedTemplate,
  tags: TemplateTags,
): string {
  const { head, slots } =
    typeof template === "string" ? parseTemplate(template) : template;
  let text = head;
  for (const slot of slots) text += (tags.get(slot.tag) ?? "") + slot.text;
  return text;
}

/**
 * Renders all variants of one template name into what a message says.
 *
 * @throws CarillonError TEMPLATE_NOT_FOUND, TEMPLATE_DEFAULT_MISSING,
 * MESSAGE_INVALID (a variant is larger than 256 KB once rendered)
 */
export function renderVariants(
  templates: readonly Pick<MessageTemplate, "protocol" | "content">[],
  tags: TemplateTags,
): MessageContent {
  if (templates.length === 0) throw new CarillonError("TEMPLATE_NOT_FOUND");
  if (!templates.some(({ protocol }) => protocol === "default")) {
    throw new CarillonError(
      "TEMPLATE_DEFAULT_MISSING",
      "Default template missing: create the variant for protocol default first.",
    );
  }
  const variants: Record<string, string> = {};
  for (const { protocol, content } of templates) {
    const text = renderTemplate(content, tags);
    if (!fitsUtf8(text, maxMessageBytes)) {
      throw new CarillonError(
        "MESSAGE_INVALID",
        `Invalid message: the template's ${protocol} variant is larger than 256 KB with these tags.`,
      );
    }
    variants[protocol] = text;
  }
  return { kind: "structure", variants };
}

function invalidTags(rule: string): CarillonError {
  return new CarillonError(
    "TEMPLATE_TAGS_INVALID",
    `Invalid template tags: ${rule}.`,
  );
}
