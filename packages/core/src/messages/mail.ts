/** A mail as an application hands it over: subject, text, HTML and files. */

import { CarillonError, type ErrorCode } from "../errors.ts";
import { fitsUtf8, isOneLine, isStorable } from "../text.ts";
import type { Attachment } from "./attachment.ts";
import {
  checkSubject,
  checkText,
  type MessageContent,
  maxMessageBytes,
} from "./message.ts";

/** What a mail may be at most. */
export const mailLimits = {
  /** UTF-8 bytes of the HTML. */
  htmlBytes: 1_048_576,
  /** UTF-8 bytes of the text. */
  textBytes: maxMessageBytes,
  /** Files that it carries. */
  attachments: 32,
  /**
   * Bytes of its files, all together, where nothing else is configured: as base64
   * below the 10 MB that many mail servers take.
   */
  attachmentBytes: 7_340_032,
  /** The same, where most is configured: more no mail server takes as base64. */
  mostAttachmentBytes: 26_214_400,
  /** Characters of a file's name. */
  attachmentNameLength: 255,
  /** Characters of a media type with its parameters. */
  contentTypeLength: 255,
  /** Characters of a content id. */
  contentIdLength: 128,
} as const;

/** Unchecked; `undefined` and null are the same. */
export interface MailRequest {
  readonly subject?: unknown;
  /** This or `html` is needed. */
  readonly text?: unknown;
  readonly html?: unknown;
  readonly attachments?: unknown;
}

/** A mail that can be sent. */
export interface CheckedMail {
  readonly subject?: string;
  /** Kind `mail` if it has HTML; its text is empty where none was given. */
  readonly content: MessageContent;
  /** Empty when there are none. */
  readonly attachments: readonly Attachment[];
  /** For `Message.attachmentBytes`; absent when there are none. */
  readonly attachmentBytes?: number;
}

export interface MailCheckOptions {
  /** Default: {@link mailLimits}. */
  readonly maxAttachmentBytes?: number | undefined;
}

/**
 * Checks all of a mail but its recipient and its options.
 *
 * @throws CarillonError SUBJECT_INVALID, MESSAGE_INVALID, MESSAGE_OPTION_INVALID
 */
export function checkMail(
  request: MailRequest,
  options: MailCheckOptions = {},
): CheckedMail {
  const subject = checkSubject(request.subject);
  const content = checkContent(request);
  const attachments = checkAttachments(request.attachments, options);
  if (content.kind === "mail") checkReferences(content.html, attachments);
  return {
    ...(subject !== undefined && { subject }),
    content,
    attachments,
    ...(attachments.length > 0 && { attachmentBytes: sizeOf(attachments) }),
  };
}

function checkContent({ text, html }: MailRequest): MessageContent {
  if (isAbsent(html)) {
    if (isAbsent(text)) {
      throw invalid("mail", "text or html is needed", "MESSAGE_INVALID");
    }
    return { kind: "text", text: checkText(text) };
  }
  return {
    kind: "mail",
    text: isAbsent(text) || text === "" ? "" : checkText(text),
    html: checkHtml(html),
  };
}

/** @throws CarillonError MESSAGE_INVALID */
function checkHtml(html: unknown): string {
  const { htmlBytes } = mailLimits;
  if (
    typeof html === "string" &&
    html.trim() !== "" &&
    fitsUtf8(html, htmlBytes) &&
    isStorable(html)
  ) {
    return html;
  }
  throw invalid(
    "html",
    `text of 1 byte to ${htmlBytes / 1024} KB without the character U+0000 is expected`,
    "MESSAGE_INVALID",
  );
}

/**
 * The files of a mail, in the order given; of each only the members that there
 * are.
 *
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function checkAttachments(
  list: unknown,
  { maxAttachmentBytes = mailLimits.attachmentBytes }: MailCheckOptions = {},
): readonly Attachment[] {
  if (isAbsent(list)) return [];
  if (!Array.isArray(list)) throw invalid("attachments", "a list is expected");
  if (list.length > mailLimits.attachments) {
    throw invalid(
      "attachments",
      `${list.length} were given, ${mailLimits.attachments} is the most`,
    );
  }
  const checked = list.map((item, n) =>
    checkAttachment(item, `attachments[${n}]`),
  );
  const ids = new Set<string>();
  for (const { contentId } of checked) {
    if (contentId === undefined) continue;
    if (ids.has(contentId)) {
      throw invalid("attachments", `two have the contentId ${contentId}`);
    }
    ids.add(contentId);
  }
  const bytes = sizeOf(checked);
  if (bytes > maxAttachmentBytes) {
    throw invalid(
      "attachments",
      `together they have ${bytes} bytes, ${maxAttachmentBytes} is the most (email.maxAttachmentBytes)`,
    );
  }
  return checked;
}

function checkAttachment(value: unknown, where: string): Attachment {
  if (typeof value !== "object" || value === null) {
    throw invalid(where, "an object is expected");
  }
  const { name, contentType, contentId, content } = value as Readonly<
    Record<keyof Attachment, unknown>
  >;
  if (!(content instanceof Uint8Array)) {
    throw invalid(`${where}.content`, "bytes are expected");
  }
  return {
    name: checkFileName(name, `${where}.name`),
    contentType: checkContentType(contentType, `${where}.contentType`),
    ...(!isAbsent(contentId) && {
      contentId: checkContentId(contentId, `${where}.contentId`),
    }),
    content,
  };
}

function checkFileName(value: unknown, name: string): string {
  const { attachmentNameLength: most } = mailLimits;
  if (
    typeof value === "string" &&
    value.trim() !== "" &&
    value.length <= most &&
    isOneLine(value) &&
    !/[/\\]/.test(value)
  ) {
    return value;
  }
  throw invalid(
    name,
    `a file name of 1 to ${most} characters on one line, without / and \\, is expected`,
  );
}

/** RFC 2045 §5.1: type, subtype, parameters. */
const mediaType =
  /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:; ?[\w!#$&^.+-]{1,64}=(?:[\w!#$&^.+-]{1,128}|"[\w!#$&^.+ :/-]{1,128}"))*$/;

function checkContentType(value: unknown, name: string): string {
  if (
    typeof value !== "string" ||
    value.length > mailLimits.contentTypeLength ||
    !mediaType.test(value)
  ) {
    throw invalid(name, "a media type such as application/pdf is expected");
  }
  // They have parts or mails inside, which are never encoded.
  if (/^(?:multipart|message)\//i.test(value)) {
    throw invalid(
      name,
      `a file cannot be sent as ${value}; send it as application/octet-stream`,
    );
  }
  return value;
}

function checkContentId(value: unknown, name: string): string {
  const { contentIdLength: most } = mailLimits;
  if (
    typeof value === "string" &&
    value.length <= most &&
    /^[A-Za-z0-9!#$&'*+/=?^_`{|}~.@-]+$/.test(value)
  ) {
    return value;
  }
  throw invalid(
    name,
    `1 to ${most} ASCII letters, digits, or any of .@_- and the like are expected, without < and >`,
  );
}

/** An image that is not there is shown as a broken one to each recipient. */
function checkReferences(
  html: string,
  attachments: readonly Attachment[],
): void {
  const ids = new Set(attachments.map(({ contentId }) => contentId));
  for (const [, id = ""] of html.matchAll(reference)) {
    if (ids.has(id) || ids.has(decoded(id))) continue;
    throw invalid(
      "html",
      `it names cid:${id}, and no attachment has that contentId`,
      "MESSAGE_INVALID",
    );
  }
}

/** In attributes and in url() of styles; what stands in prose is no reference. */
const reference = /(?:=|url\()\s{0,8}["']?cid:([^"'\s<>)]{1,300})/gi;

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    // A percent sign that escapes nothing.
    return id;
  }
}

function sizeOf(attachments: readonly Attachment[]): number {
  return attachments.reduce((sum, { content }) => sum + content.length, 0);
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** @param problem completes "Invalid attachments: …." */
function invalid(
  name: string,
  problem: string,
  code: ErrorCode = "MESSAGE_OPTION_INVALID",
): CarillonError {
  return new CarillonError(code, `Invalid ${name}: ${problem}.`);
}
