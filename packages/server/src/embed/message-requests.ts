/**
 * What programs ask for that embed the service. Types are for people: each value
 * is checked again, and a mistake is an error that says what was expected.
 */

import { nearest } from "../config-spelling.ts";
import { RequestError } from "../errors.ts";

/** An object in the program's own system, such as a user or an order. */
export interface RelatedObjectKey {
  /** 1 to 128 letters, digits, or any of `_ . : -`. */
  readonly type: string;
  /** A whole number is the same as its decimal text. */
  readonly id: string | number;
}

/** What a text, a mail, a template and a bulk may have; all of it is optional. */
export interface SendOptions {
  /** A label to find messages by: 1 to 50 letters, digits, or `_ . : -`. */
  readonly tag?: string | undefined;
  readonly relatedObjects?: readonly RelatedObjectKey[] | undefined;
  /** 1 is the highest. Default 3. */
  readonly priority?: 1 | 2 | 3 | undefined;
  /** True: at once, also in batch mode. */
  readonly sendImmediately?: boolean | undefined;
  /** Name of a provider: it goes through this one and no other. */
  readonly backend?: string | undefined;
  /** Kept with the message and not sent; as JSON at most 8192 bytes. */
  readonly extraData?: Readonly<Record<string, unknown>> | undefined;
  /** Kind of traffic; decides how long it is attempted. */
  readonly class?: "otp" | "transactional" | "bulk" | undefined;
  /** No attempt is made before; at most 35 days ahead. */
  readonly notBefore?: Date | undefined;
  /** How long it is attempted. Default: as configured for the channel. */
  readonly timeToLiveSeconds?: number | undefined;
  /** An http or https URL that is told of the outcome. */
  readonly statusUrl?: string | undefined;
  /**
   * How long to wait for the outcome of the first attempt before the message is
   * answered as it stands then; 0: as soon as it is on disk. At most 60,000.
   */
  readonly waitMs?: number | undefined;
}

/** How a text is sent. */
export interface TextOptions {
  /** Sender ID: a name of up to 11 characters, or a number. */
  readonly sender?: string | undefined;
  /**
   * What becomes of characters that do not fit the cheaper alphabet. Default: as
   * `sms.accents` says.
   */
  readonly accents?: "keep" | "strip-ascii" | "transliterate" | undefined;
  readonly sms?:
    | {
        /** How long the carrier may try. */
        readonly validityMinutes?: number | undefined;
        /** Replies are welcome. */
        readonly allowReply?: boolean | undefined;
        /** High priority at the carrier: faster, and dearer. */
        readonly escalate?: boolean | undefined;
        /** Ask for delivery receipts. */
        readonly statusReport?: boolean | undefined;
        /** Raw parameters for the provider. */
        readonly params?: Readonly<Record<string, unknown>> | undefined;
      }
    | undefined;
}

/** What a text says. */
export interface TextContent extends TextOptions {
  readonly text: string;
}

/** A file that a mail carries. */
export interface MailAttachment {
  /** File name, one line. */
  readonly name: string;
  /** Media type such as `application/pdf`. */
  readonly contentType: string;
  readonly content: Uint8Array;
  /** Of an inline image: what `cid:` in the HTML names. */
  readonly contentId?: string | undefined;
}

/** What belongs to a mail besides its content. */
export interface MailOptions {
  readonly attachments?: readonly MailAttachment[] | undefined;
  readonly email?: MailAddresses | undefined;
}

/** What a mail says; `text` or `html` is there, or both. */
export interface MailContent extends MailOptions {
  readonly subject?: string | undefined;
  /** Absent: it is made from the HTML. */
  readonly text?: string | undefined;
  readonly html?: string | undefined;
}

/** Who a mail is from, and where its answers go. */
export interface MailAddresses {
  readonly from?: string | undefined;
  /** Shown beside the sender's address. */
  readonly senderName?: string | undefined;
  readonly replyTo?: string | undefined;
  /** Where one POST ends the recipient's subscription (RFC 8058). */
  readonly unsubscribeUrl?: string | undefined;
}

/** What a template is sent with. */
export interface TemplateContent {
  readonly slug: string;
  /** Plain data: what the template's variables name. */
  readonly context?: Readonly<Record<string, unknown>> | undefined;
}

/** Which messages are listed; what is absent does not filter. */
export interface MessageQuery {
  /** Our name of the state, such as `sent`. */
  readonly state?: string | undefined;
  readonly tag?: string | undefined;
  readonly templateSlug?: string | undefined;
  /** About all of these. */
  readonly relatedObjects?: readonly RelatedObjectKey[] | undefined;
  /** Cleaned up as it is when a message is sent. */
  readonly to?: string | undefined;
  /** Created then or later. */
  readonly since?: Date | undefined;
  /** Created before. */
  readonly until?: Date | undefined;
}

const sendOptions = [
  "tag",
  "relatedObjects",
  "priority",
  "sendImmediately",
  "backend",
  "extraData",
  "class",
  "notBefore",
  "timeToLiveSeconds",
  "statusUrl",
  "waitMs",
] as const satisfies (keyof SendOptions)[];

const textOptions = [
  "sender",
  "accents",
  "sms",
] as const satisfies (keyof TextOptions)[];

/** Members of requests, by what is asked for. */
export const requestMembers = {
  sms: ["to", "text", ...textOptions, ...sendOptions],
  email: [
    "to",
    "subject",
    "text",
    "html",
    "attachments",
    "email",
    ...sendOptions,
  ],
  smsTemplate: ["to", "slug", "context", ...textOptions, ...sendOptions],
  emailTemplate: [
    "to",
    "slug",
    "context",
    "attachments",
    "email",
    ...sendOptions,
  ],
  query: [
    "state",
    "tag",
    "templateSlug",
    "relatedObjects",
    "to",
    "since",
    "until",
  ],
} as const;

/**
 * The members of a request, as they are: unchecked but for their names.
 *
 * @throws RequestError REQUEST_INVALID for what is no object, and for a member
 * that would be passed over without a word
 */
export function membersOf(
  request: object,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  // A program in JavaScript may hand over anything.
  if (
    typeof request !== "object" ||
    request === null ||
    Array.isArray(request)
  ) {
    throw invalid(`An object with ${known.join(", ")} is expected.`);
  }
  const unknown = Object.keys(request).find((name) => !known.includes(name));
  if (unknown === undefined) return { ...request };
  const meant = nearest(unknown, known);
  throw invalid(
    `There is no member ${unknown}${meant ? `; did you mean ${meant}?` : `: there are ${known.join(", ")}.`}`,
  );
}

/** @throws RequestError REQUEST_INVALID, with the sentence */
export function invalid(message: string): RequestError {
  return new RequestError("REQUEST_INVALID", message);
}
