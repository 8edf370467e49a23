/** What the members of a template of stored messages may be. */

import { CarillonError } from "../errors.ts";
import type { Attachment } from "../messages/attachment.ts";
import {
  checkEmailOptions,
  type EmailOptionPorts,
} from "../messages/email-options.ts";
import { checkAttachments } from "../messages/mail.ts";
import { isOneLine, isStorable } from "../text.ts";
import { type StoredChannel, storedChannels } from "./stored-message.ts";
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

/** What mails may have, as they are checked when they are sent. */
export interface TemplateMailRules extends EmailOptionPorts {
  /** Default: `mailLimits.attachmentBytes`. */
  readonly maxAttachmentBytes?: (() => number | undefined) | undefined;
}

/**
 * All but the syntax of what is rendered. What mails would be refused for, so that
 * no mail could be made of it, is refused here.
 *
 * @throws CarillonError TEMPLATE_INVALID
 */
export function checkTemplateFields(
  channel: StoredChannel,
  slug: string,
  draft: StoredTemplateDraft,
  mailRules: TemplateMailRules,
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
    ...subjectField(draft.subject),
    ...senderFields(draft, mailRules),
    ...attachmentsField(draft.attachments, mailRules),
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
function subjectField(value: unknown): { readonly subject?: string } {
  if (value === undefined || value === null || value === "") return {};
  const { subjectLength: most } = storedTemplateLimits;
  if (typeof value === "string" && value.length <= most && isOneLine(value)) {
    return { subject: value };
  }
  throw invalidTemplate(
    `subject: a line of at most ${most} characters is expected`,
  );
}

/** An empty text is none. */
function senderFields(
  { sender, senderName }: StoredTemplateDraft,
  rules: TemplateMailRules,
): { readonly sender?: string; readonly senderName?: string } {
  const given = {
    from: sender === "" ? undefined : sender,
    senderName: senderName === "" ? undefined : senderName,
  };
  const { from, ...checked } =
    asTemplateError(() =>
      checkEmailOptions(given, rules, (member) =>
        member === "from" ? "sender" : (member ?? "sender"),
      ),
    ) ?? {};
  return { ...checked, ...(from !== undefined && { sender: from }) };
}

function attachmentsField(
  list: unknown,
  { maxAttachmentBytes }: TemplateMailRules,
): { readonly attachments?: readonly Attachment[] } {
  const attachments = asTemplateError(() =>
    checkAttachments(list, { maxAttachmentBytes: maxAttachmentBytes?.() }),
  );
  return attachments.length > 0 ? { attachments } : {};
}

/** @throws CarillonError TEMPLATE_INVALID, which says what the check says */
function asTemplateError<Checked>(check: () => Checked): Checked {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof CarillonError)) throw error;
    throw new CarillonError("TEMPLATE_INVALID", error.message, {
      cause: error,
    });
  }
}
