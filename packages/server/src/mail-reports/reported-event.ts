/** What a report says, before it is known whose mail it is about. */

import { type MailEventReport, maxReportTextCharacters } from "@carillon/core";

export interface ReportedEvent
  extends Omit<MailEventReport, "at" | "raw" | "recipient"> {
  /** When it happened, in milliseconds since the epoch, as the report says. */
  readonly at?: number;
  /** The addresses that it names: the final one first, then the original. */
  readonly recipients: readonly string[];
}

/** A report as a mail, read. */
export type MailReport =
  | {
      readonly kind: "events";
      /** One for each recipient that it names, one at least. */
      readonly events: readonly ReportedEvent[];
      /** Addresses that the mail may have been sent from, as the report says. */
      readonly returnPaths: readonly string[];
      /** Of the mail, without angle brackets. */
      readonly messageId?: string;
    }
  | {
      /** `auto_reply`: an answer of a machine. `unreadable`: no report at all. */
      readonly kind: "auto_reply" | "unreadable";
    };

/** One line of plain text, cut; `undefined` when nothing is left. */
export function reportText(value: string | undefined): string | undefined {
  const text = value
    ?.slice(0, 4 * maxReportTextCharacters)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .trim()
    .slice(0, maxReportTextCharacters)
    .toWellFormed();
  return text === "" ? undefined : text;
}

/** The address of a field such as `rfc822; ann@example.com` or `<ann@…>`. */
export function addressOf(value: string | undefined): string | undefined {
  const text = value?.replace(/^\s*[\w-]{1,20}\s*;/, "").trim();
  const [, bracketed] = /<([^<>]{0,320})>/.exec(text ?? "") ?? [];
  const address = bracketed ?? text;
  return address !== undefined && /^[^\s@]{1,64}@[^\s@]{1,255}$/.test(address)
    ? address.toWellFormed()
    : undefined;
}
