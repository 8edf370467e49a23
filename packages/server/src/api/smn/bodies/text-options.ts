/**
 * What a publisher may say of texts over SMN's routes. None of it is SMN's: its
 * clients leave these members out, and their requests mean what they meant.
 */

import {
  CarillonError,
  type EpochMs,
  instantOf,
  type SmsOptionNaming,
} from "@carillon/core";
import { Type } from "../../../json-schema.ts";
import { failsWith } from "../../validation.ts";

const code = failsWith("MESSAGE_OPTION_INVALID");

/** Members of a body, beside SMN's. */
export const textOptions = {
  class: Type.Optional(Type.Union([Type.String(), Type.Null()], code)),
  not_before: Type.Optional(Type.Union([Type.String(), Type.Null()], code)),
  sms_options: Type.Optional(Type.Unknown(code)),
};

interface TextOptionsBody {
  readonly class?: string | null;
  readonly not_before?: string | null;
  readonly sms_options?: unknown;
}

/** What these members are called, for errors. */
export const namingOfSmsOptions: SmsOptionNaming = (member) =>
  member === undefined
    ? "sms_options"
    : `sms_options.${member.replace(/[A-Z]/g, (it) => `_${it.toLowerCase()}`)}`;

/**
 * As the publisher takes them; unchecked but for the instant.
 *
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function readTextOptions(body: TextOptionsBody) {
  const { sms_options: sms, not_before: notBefore } = body;
  return {
    // Some clients send each field, empty when unused.
    class: body.class || undefined,
    notBefore: notBefore ? parseNotBefore(notBefore) : undefined,
    sms: isObject(sms) ? toOwnNames(sms) : sms,
  };
}

function parseNotBefore(text: string): EpochMs {
  const at = instantOf(text);
  if (at !== undefined) return at;
  throw new CarillonError(
    "MESSAGE_OPTION_INVALID",
    "Invalid not_before: an instant such as 2026-01-31T08:30:00Z is expected.",
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toOwnNames(
  options: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}
