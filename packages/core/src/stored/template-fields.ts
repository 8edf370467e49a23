/** What the members of a template of stored messages may be. */

import { CarillonError } from "../errors.ts";
import { isStorable } from "../text.ts";
import {
  type Attachment,
  type StoredChannel,
  storedChannels,
} from "./stored-message.ts";
import type { StoredTemplate } from "./stored-templates.ts";

/** As whoever makes a template hands it over; unchecked. Null is absent. */
export interface StoredTemplateDraft {
  readonly body: unknown;
  /** Default true. */
  readonly isActive?: unknown;
  /** Default false. */
  readonly isLocked?: unknown;
  /** Default true. */
  readonly allowsDuplicates?: unknown;
  /** Default false. */
  readonly isStrict?: unknown;
  /** The rest is of mails. */
  readonly subject?: unknown;
  /** Default true. */
  readonly isHtml?: unknown;
  readonly sender?: unknown;
  readonly senderName?: unknown;
  readonly attachments?: unknown;
}

/** What a template may be at most. */
export const storedTemplateLimits = {
  /** Characters of a body. */
  bodyLength: { sms: 10_000, email: 65_536 },
  /** Characters that a body may become. */
  renderedLength: { sms: 10_000, email: 1_000_000 },
  /** Characters of a subject, as it is kept and as it is rendered. */
  subjectLength: 512,
  senderLength: 254,
  senderNameLength: 128,
  attachments: 20,
  /** Of all attachments together. */
  attachmentBytes: 10_485_760,
  perProject: 10_000,
} as const;

type Fields = Omit<StoredTemplate, "createdAt" | "changedAt">;

const mailFields = [
  "subject",
  "isHtml",
  "sender",
  "senderName",
  "attachments",
] as const;

/** @throws CarillonError TEMPLATE_INVALID */
export function checkStoredChannel(channel: unknown): StoredChannel {
  const found = storedChannels.find((it) => it === channel);
  if (found !== undefined) return found;
  throw invalidTemplate(
    `channel: one of ${storedChannels.join(", ")} is expected`,
  );
}

/** @throws CarillonError TEMPLATE_INVALID */
export function checkTemplateSlug(slug: unknown): string {
  if (typeof slug === "string" && /^[A-Za-z0-9_-]{1,100}$/.test(slug)) {
    return slug;
  }
  throw invalidTemplate(
    "slug: 1 to 100 ASCII letters, digits, dashes or underscores are expected",
  );
}

/**
 * All but the syntax of what is rendered.
 *
 * @throws CarillonError TEMPLATE_INVALID
 */
export function checkTemplateFields(
  channel: StoredChannel,
  slug: string,
  draft: StoredTemplateDraft,
): Fields {
  if (channel !== "email") refuseMailFields(draft);
  const isHtml = draft.isHtml ?? undefined;
  return {
    channel,
    slug,
    body: checkBody(draft.body, channel),
    isActive: checkFlag(draft.isActive, "isActive", true),
    isLocked: checkFlag(draft.isLocked, "isLocked", false),
    allowsDuplicates: checkFlag(
      draft.allowsDuplicates,
      "allowsDuplicates",
      true,
    ),
    isStrict: checkFlag(draft.isStrict, "isStrict", false),
    ...(channel === "email" && {
      isHtml: checkFlag(isHtml, "isHtml", true),
    }),
    ...textField(draft.subject, "subject", storedTemplateLimits.subjectLength),
    ...senderField(draft.sender),
    ...textField(
      draft.senderName,
      "senderName",
      storedTemplateLimits.senderNameLength,
    ),
    ...attachmentsField(draft.attachments),
  };
}

export function invalidTemplate(what: string): CarillonError {
  return new CarillonError("TEMPLATE_INVALID", `Invalid ${what}.`);
}

function refuseMailFields(draft: StoredTemplateDraft): void {
  const given = mailFields.find((name) => (draft[name] ?? null) !== null);
  if (given === undefined) return;
  throw invalidTemplate(`${given}: only templates of mails have it`);
}

function checkBody(body: unknown, channel: StoredChannel): string {
  const most = storedTemplateLimits.bodyLength[channel];
  if (typeof body !== "string" || body === "" || body.length > most) {
    const length = typeof body === "string" ? `, it has ${body.length}` : "";
    throw invalidTemplate(
      `body: a text of 1 to ${most} characters is expected${length}`,
    );
  }
  if (isStorable(body)) return body;
  throw invalidTemplate("body: it may not contain the character U+0000");
}

function checkFlag(value: unknown, name: string, whenAbsent: boolean): boolean {
  if (value === undefined || value === null) return whenAbsent;
  if (typeof value === "boolean") return value;
  throw invalidTemplate(`${name}: true or false is expected`);
}

/** One line, so that no header field of a mail follows it. */
function textField<Name extends "subject" | "senderName">(
  value: unknown,
  name: Name,
  most: number,
): { readonly [Key in Name]?: string } {
  if (value === undefined || value === null || value === "") return {};
  if (typeof value !== "string" || value.length > most || !isOneLine(value)) {
    throw invalidTemplate(
      `${name}: a line of at most ${most} characters is expected`,
    );
  }
  // The key is the one of the type.
  return { [name]: value } as { readonly [Key in Name]?: string };
}

function senderField(value: unknown): { readonly sender?: string } {
  if (value === undefined || value === null || value === "") return {};
  if (
    typeof value === "string" &&
    value.length <= storedTemplateLimits.senderLength &&
    /^[^\s@<>",;:()[\]\\]+@[^\s@<>",;:()[\]\\]+$/.test(value) &&
    isOneLine(value)
  ) {
    return { sender: value };
  }
  throw invalidTemplate(
    "sender: a mail address such as shop@example.com is expected",
  );
}

function attachmentsField(list: unknown): {
  readonly attachments?: readonly Attachment[];
} {
  if (list === undefined || list === null) return {};
  const { attachments: most, attachmentBytes } = storedTemplateLimits;
  if (!Array.isArray(list) || list.length > most) {
    throw invalidTemplate(`attachments: a list of at most ${most} is expected`);
  }
  const checked = list.map((item: unknown, n) => checkAttachment(item, n));
  const bytes = checked.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > attachmentBytes) {
    throw invalidTemplate(
      `attachments: they have ${bytes} bytes together, ${attachmentBytes} are the most`,
    );
  }
  return checked.length > 0 ? { attachments: checked } : {};
}

function checkAttachment(item: unknown, n: number): Attachment {
  const where = `attachments[${n}]`;
  const { name, contentType, contentId, content } = (
    typeof item === "object" && item !== null ? item : {}
  ) as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || !/^[^/\\]{1,255}$/.test(name)) {
    throw invalidTemplate(`${where}.name: a file name is expected`);
  }
  if (!isOneLine(name))
    throw invalidTemplate(`${where}.name: it has to be one line`);
  if (
    typeof contentType !== "string" ||
    !/^[\w.+-]{1,127}\/[\w.+-]{1,127}$/.test(contentType)
  ) {
    throw invalidTemplate(
      `${where}.contentType: a media type such as image/png is expected`,
    );
  }
  if (
    contentId !== undefined &&
    (typeof contentId !== "string" || !/^[\w.@+-]{1,128}$/.test(contentId))
  ) {
    throw invalidTemplate(
      `${where}.contentId: 1 to 128 letters, digits or any of _ . @ + - are expected`,
    );
  }
  if (!(content instanceof Uint8Array)) {
    throw invalidTemplate(`${where}.content: bytes are expected`);
  }
  return {
    name,
    contentType,
    ...(typeof contentId === "string" && { contentId }),
    content,
  };
}

function isOneLine(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is refused
  return !/[\u0000-\u001f\u007f\u2028\u2029]/.test(text);
}
