/**
 * What is asked of stored messages, checked: from what programs hand over to a
 * message and its recipients. What all messages have in common is checked where
 * they are published.
 */

import type { DirectIntake } from "../engine/direct-intake.ts";
import type { PublishRequest } from "../engine/publish.ts";
import { CarillonError } from "../errors.ts";
import type { ProjectId } from "../ids.ts";
import type { Attachment } from "../messages/attachment.ts";
import {
  checkEmailOptions,
  type EmailOptionPorts,
} from "../messages/email-options.ts";
import { type CheckedMail, checkMail } from "../messages/mail.ts";
import {
  checkText,
  type MessageContent,
  maxTimeToLiveSeconds,
  type NewMessage,
} from "../messages/message.ts";
import type { SmsOptions } from "../messages/sms-options.ts";
import type { Clock } from "../ports/clock.ts";
import type { DirectRecipient } from "../ports/delivery-store.ts";
import { checkEndpoint, type Protocols } from "../subscriptions/protocol.ts";
import type { TermsOf } from "./send-terms.ts";
import type { StoredChannel } from "./stored-message.ts";
import type { StoredMessageOptions } from "./stored-messages.ts";

/** What stored messages may be at most. */
export const storedMessageLimits = {
  /** Characters of a tag: as many as pymess keeps. */
  tagLength: 50,
  /** Recipients of a bulk. */
  recipients: 100_000,
  /** How long a send may wait for the outcome, in milliseconds. */
  waitMs: 60_000,
} as const;

/** What is a channel's own; all have defaults. */
export interface StoredChannelRules {
  /**
   * A recipient as it is checked and kept. Default: as it came.
   *
   * @throws CarillonError RECIPIENTS_INVALID
   */
  readonly cleanRecipient?: ((to: unknown) => unknown) | undefined;
  /**
   * A text as it is kept. Default: as it came.
   *
   * @throws CarillonError MESSAGE_INVALID, MESSAGE_OPTION_INVALID
   */
  readonly cleanText?:
    | ((
        text: string,
        options: StoredMessageOptions,
      ) => string | Promise<string>)
    | undefined;
  /** Default: each goes at its time. */
  readonly termsOf?: TermsOf | undefined;
  /** See `checkMail`. */
  readonly maxAttachmentBytes?: (() => number | undefined) | undefined;
  readonly isEmailSender?: EmailOptionPorts["isEmailSender"];
  /**
   * The text of mails that have HTML alone, at most as long as texts may be.
   * Default: they are kept without one.
   */
  readonly textOfHtml?: ((html: string) => Promise<string>) | undefined;
  readonly isEmailBackend?: EmailOptionPorts["isEmailBackend"];
}

/** What a stored message says; unchecked. */
export interface StoredContent {
  readonly text?: unknown;
  readonly subject?: unknown;
  readonly html?: unknown;
  readonly attachments?: readonly Attachment[] | undefined;
}

/** A stored message that can be kept. */
export interface CheckedStored {
  readonly message: NewMessage;
  readonly attachments: readonly Attachment[];
  readonly isBatched: boolean;
  readonly waitMs: number;
}

export interface StoredRequestPorts {
  readonly channel: StoredChannel;
  readonly direct: Pick<DirectIntake, "check" | "isBillable">;
  readonly protocols: Protocols;
  readonly clock: Pick<Clock, "nextTurn">;
  readonly rules: StoredChannelRules;
}

export interface StoredRequests {
  /** @throws CarillonError RECIPIENTS_INVALID */
  checkRecipient(to: unknown): string;
  /**
   * Each once, in the order given; one that cannot be used keeps all others from
   * being stored.
   *
   * @throws CarillonError RECIPIENTS_INVALID
   */
  checkRecipients(
    list: readonly unknown[],
  ): Promise<readonly DirectRecipient[]>;
  /** @throws CarillonError those of `Publisher.send` but for recipients */
  check(
    projectId: ProjectId,
    content: StoredContent,
    options: StoredMessageOptions,
    templateSlug?: string,
  ): Promise<CheckedStored>;
}

/** Recipients that are checked in one turn of the event loop. */
const checkedPerTurn = 500;

/** Of those that cannot be used, how many are described. */
const maxDescribed = 10;

export function createStoredRequests(
  ports: StoredRequestPorts,
): StoredRequests {
  const { channel, direct, protocols, clock, rules } = ports;
  const audience = new Set([channel]);

  /** @throws CarillonError ENDPOINT_INVALID, RECIPIENTS_INVALID */
  function toEndpoint(to: unknown): string {
    const { cleanRecipient = (it: unknown) => it } = rules;
    return checkEndpoint(protocols.check(channel), cleanRecipient(to));
  }

  async function checkTextContent(
    { text, subject, html, attachments }: StoredContent,
    options: StoredMessageOptions,
  ): Promise<CheckedMail> {
    const { email } = options;
    const mailOnly = { subject, html, attachments, email };
    for (const [name, value] of Object.entries(mailOnly)) {
      const isGiven = Array.isArray(value) ? value.length > 0 : isSet(value);
      if (isGiven) throw invalid(name, "texts have none; it is of mails alone");
    }
    const { cleanText = (it: string) => it } = rules;
    if (typeof text !== "string" || text === "") {
      throw new CarillonError(
        "MESSAGE_INVALID",
        "Invalid text: text of 1 byte to 256 KB is expected.",
      );
    }
    const cleaned = await cleanText(text, options);
    const content: MessageContent = { kind: "text", text: checkText(cleaned) };
    return { content, attachments: [] };
  }

  async function checkMailContent(given: StoredContent): Promise<CheckedMail> {
    const mail = checkMail(given, {
      maxAttachmentBytes: rules.maxAttachmentBytes?.(),
    });
    const { content } = mail;
    if (content.kind !== "mail" || content.text !== "") return mail;
    // Made here, once: it is shown as it goes out, whatever the attempts.
    const text = (await rules.textOfHtml?.(content.html)) ?? "";
    return { ...mail, content: { ...content, text } };
  }

  return {
    checkRecipient(to) {
      try {
        return toEndpoint(to);
      } catch (error) {
        throw asRecipientError(error);
      }
    },
    async checkRecipients(list) {
      const { recipients: most } = storedMessageLimits;
      if (!Array.isArray(list) || list.length < 1 || list.length > most) {
        throw invalidRecipients(
          `1 to ${most} are expected${Array.isArray(list) ? `, ${list.length} were given` : ""}`,
        );
      }
      const billable = direct.isBillable(channel);
      const found = new Map<string, DirectRecipient>();
      const problems: string[] = [];
      let bad = 0;
      for (const [n, to] of list.entries()) {
        if (n % checkedPerTurn === checkedPerTurn - 1) await clock.nextTurn();
        try {
          const endpoint = toEndpoint(to);
          found.set(endpoint, { protocol: channel, endpoint, billable });
        } catch (error) {
          if (!(error instanceof CarillonError)) throw error;
          bad++;
          if (bad <= maxDescribed) problems.push(`to[${n}]: ${error.message}`);
        }
      }
      if (bad === 0) return [...found.values()];
      const rest = bad - problems.length;
      throw invalidRecipients(
        `${bad} of ${list.length} cannot be used, and nothing was stored. ${problems.join(" ")}${rest > 0 ? ` And ${rest} more` : ""}`,
      );
    },
    async check(projectId, given, options, templateSlug) {
      const { sendImmediately, waitMs = 0 } = options;
      if (isSet(sendImmediately) && typeof sendImmediately !== "boolean") {
        throw invalid("sendImmediately", "true or false is expected");
      }
      const { waitMs: longest } = storedMessageLimits;
      if (!Number.isInteger(waitMs) || waitMs < 0 || waitMs > longest) {
        throw invalid(
          "waitMs",
          `whole milliseconds from 0 to ${longest} are expected`,
        );
      }
      checkTagLength(options.tag);
      const mail =
        channel === "sms"
          ? await checkTextContent(given, options)
          : await checkMailContent(given);
      const email =
        channel === "email"
          ? checkEmailOptions(mailOptionsOf(options), {
              protocols,
              isEmailSender: rules.isEmailSender,
              isEmailBackend: rules.isEmailBackend,
            })
          : undefined;
      const { notBefore } = options;
      const { isBatched, timeToLiveSeconds, ...terms } = rules.termsOf?.({
        sendImmediately: sendImmediately === true,
        notBefore,
        class: options.class,
      }) ?? { isBatched: false };
      const request: PublishRequest = {
        ...options,
        sms: smsOptionsOf(options),
        ...(isSet(options.backend) && { names: backendNames }),
        subject: mail.subject,
        timeToLive: isSet(options.timeToLive)
          ? options.timeToLive
          : timeToLiveSeconds,
        maxTimeToLiveSeconds,
      };
      const checked = await direct.check(
        projectId,
        request,
        audience,
        mail.content,
      );
      const { attachments, attachmentBytes } = mail;
      return {
        message: {
          ...checked,
          ...(email !== undefined && { email }),
          ...(attachmentBytes !== undefined && { attachmentBytes }),
          ...(templateSlug !== undefined && { templateSlug }),
          ...terms.message,
        },
        attachments,
        isBatched,
        waitMs,
      };
    },
  };

  /** With what stands beside them: `sender`, and `backend`, which is a provider. */
  function smsOptionsOf(options: StoredMessageOptions): unknown {
    const { sms, sender, backend } = options;
    if (channel !== "sms") return sms;
    const named = withNamed("sms", sms, "sender", sender);
    return withNamed("sms", named, "provider", backend, "backend");
  }
}

/** What is wrong with the provider is told of what was given. */
const backendNames = {
  sms: (member?: keyof SmsOptions) => {
    if (member === "provider") return "backend";
    return member === undefined ? "sms" : `sms.${member}`;
  },
};

/** The options of mails, with the sender and the backend that stand beside them. */
function mailOptionsOf({
  email,
  sender,
  backend,
}: StoredMessageOptions): unknown {
  const named = withNamed("email", email, "from", sender, "sender");
  return withNamed("email", named, "backend", backend);
}

/**
 * Options with a member that has another name beside them.
 *
 * @throws CarillonError MESSAGE_OPTION_INVALID when both are there, and differ
 */
function withNamed(
  options: string,
  given: unknown,
  member: string,
  value: unknown,
  name = member,
): unknown {
  if (!isSet(value)) return given;
  if (!isSet(given)) return { [member]: value };
  // What is no object is refused where the options are checked.
  if (typeof given !== "object" || Array.isArray(given)) return given;
  const known: unknown = Reflect.get(given as object, member);
  if (isSet(known) && known !== value) {
    throw invalid(name, `${options}.${member} says something else`);
  }
  return { ...given, [member]: value };
}

/** @throws CarillonError MESSAGE_OPTION_INVALID */
function checkTagLength(tag: unknown): void {
  const { tagLength: most } = storedMessageLimits;
  if (typeof tag !== "string" || tag.length <= most) return;
  throw invalid(
    "tag",
    `at most ${most} characters, this one has ${tag.length}`,
  );
}

/** Says `to` of what is one of many elsewhere. */
function asRecipientError(error: unknown): unknown {
  if (!(error instanceof CarillonError)) return error;
  if (error.code === "RECIPIENTS_INVALID") return error;
  if (error.code !== "ENDPOINT_INVALID") return error;
  return new CarillonError(
    "RECIPIENTS_INVALID",
    error.message.replace(/^Invalid endpoint/, "Invalid recipient"),
    { cause: error },
  );
}

function invalidRecipients(problem: string): CarillonError {
  return new CarillonError(
    "RECIPIENTS_INVALID",
    `Invalid recipients: ${problem.replace(/\.$/, "")}.`,
  );
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** @param problem completes "Invalid tag: …." */
function invalid(name: string, problem: string): CarillonError {
  return new CarillonError(
    "MESSAGE_OPTION_INVALID",
    `Invalid ${name}: ${problem}.`,
  );
}
