/** What the configuration makes of stored messages, as it is set now. */

import { createSenderCheck, textOfHtml } from "@carillon/channels";
import {
  batchTermsOf,
  CarillonError,
  checkAccents,
  cleanPhoneNumber,
  cleanText,
  type MessageLives,
  otpOf,
  type StoredChannel,
  type TermsOf,
} from "@carillon/core";
import { fitText } from "@carillon/gateway";
import { batchModeOf } from "./batch-settings.ts";
import type { Config } from "./config.ts";
import { mailBackendNames } from "./mail-backends/mail-backend-settings.ts";

/** Of one channel; the core's stored messages ask it for each send. */
export interface StoredRules {
  /** @throws CarillonError ENDPOINT_INVALID */
  readonly cleanRecipient?: (to: unknown) => unknown;
  /** @throws CarillonError MESSAGE_INVALID, MESSAGE_OPTION_INVALID */
  readonly cleanText?: (
    text: string,
    options: { readonly accents?: unknown },
  ) => string;
  readonly termsOf: TermsOf;
  /** Of all attachments of a mail. */
  readonly maxAttachmentBytes?: () => number;
  /** Whether a mail may name this address as its sender. */
  readonly isEmailSender?: (address: string) => boolean;
  /** Of a mail that was given none. */
  readonly textOfHtml?: (html: string) => Promise<string>;
  /** Whether there is a backend of mails of that name. */
  readonly isEmailBackend?: (name: string) => boolean;
}

/** @param lives of messages that were given no time to live */
export function storedRulesOf(
  settings: () => Config,
  lives: MessageLives,
): Readonly<Record<StoredChannel, StoredRules>> {
  const termsOf =
    (channel: StoredChannel): TermsOf =>
    (send) => {
      const config = settings();
      const mode = batchModeOf(config, channel);
      const otpLife = lives[otpOf(channel)];
      return batchTermsOf(mode, config.storedProfile, send, otpLife);
    };
  return {
    sms: {
      cleanRecipient: (to) =>
        toPhoneNumber(to, settings().sms.defaultPhoneCode),
      cleanText: (text, { accents }) =>
        cleanText(
          text,
          checkAccents(accents) ?? settings().sms.accents,
          fitText,
        ),
      termsOf: termsOf("sms"),
    },
    email: {
      termsOf: termsOf("email"),
      maxAttachmentBytes: () => settings().email.maxAttachmentBytes,
      isEmailBackend: (name) => mailBackendNames(settings()).includes(name),
      isEmailSender: (address) => {
        const { mailFrom, email } = settings();
        return createSenderCheck(mailFrom, email.senders)(address);
      },
      textOfHtml,
    },
  };
}

/** @throws CarillonError ENDPOINT_INVALID */
function toPhoneNumber(to: unknown, defaultPhoneCode?: string): string {
  const number = cleanPhoneNumber(to, defaultPhoneCode);
  if (defaultPhoneCode !== undefined || !/^[1-9]\d{8}$/.test(number)) {
    return number;
  }
  throw new CarillonError(
    "ENDPOINT_INVALID",
    "Invalid recipient: it does not start with + and a country code; sms.defaultPhoneCode is what would be put in front of nine digits, and is not set.",
  );
}
