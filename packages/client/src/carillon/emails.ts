/** Mails to one address each. */

import type { Api } from "../api.ts";
import type { Attachment } from "./attachments.ts";
import {
  createStoredMessages,
  type StoredMessages,
  type StoredSettings,
  type TemplateSettings,
} from "./stored-messages.ts";

/** What mails are sent with; all of it is optional. */
export interface EmailOptions {
  /** A configured backend: it goes through this one and no other. */
  readonly backend?: string | undefined;
  /** Address of the sender. Default: the service's. */
  readonly from?: string | undefined;
  /** Shown beside the sender's address. */
  readonly senderName?: string | undefined;
  readonly replyTo?: string | undefined;
  /** Where one POST ends the recipient's subscription (RFC 8058). */
  readonly unsubscribeUrl?: string | undefined;
}

/** What mails carry besides; all of it is optional. */
export interface EmailSettings extends StoredSettings {
  readonly email?: EmailOptions | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
}

/** What several mails have in common: a text, HTML, or both. */
export interface EmailContent extends EmailSettings {
  readonly subject?: string | undefined;
  /** Made of the HTML where it is absent. */
  readonly text?: string | undefined;
  readonly html?: string | undefined;
}

/** What a template's mails carry. */
export interface EmailTemplateSettings
  extends EmailSettings,
    TemplateSettings {}

/** Sends mails, and finds them again. */
export type Emails = StoredMessages<EmailContent, EmailTemplateSettings>;

export function createEmails(api: Api): Emails {
  return createStoredMessages<EmailContent, EmailTemplateSettings>(
    api,
    "emails",
  );
}
