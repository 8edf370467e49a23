/**
 * What a publisher may say of the texts of a message, and of them alone: who
 * sends them, through which carrier, and what it is asked for. Those of its
 * subscribers and recipients that are reached by SMS get it so; for the others it
 * means nothing.
 */

import { CarillonError } from "../errors.ts";
import { findExcess, type JsonLimits } from "../json-extent.ts";

/** Checked. What is absent is left to the gateway and its providers. */
export interface SmsOptions {
  /** Sender ID: a name, or a number with or without a plus. */
  readonly sender?: string;
  /** A configured provider: the text goes through it and through no other. */
  readonly provider?: string;
  /**
   * How long the carrier may try, in minutes; at most what is left of the
   * delivery's life at the attempt, which is also the default.
   */
  readonly validityMinutes?: number;
  /** Replies are welcome. */
  readonly allowReply?: boolean;
  /** High priority at the carrier: faster, and dearer. */
  readonly escalate?: boolean;
  /** Ask for delivery receipts. Default: as the service is set up. */
  readonly statusReport?: boolean;
  /** Raw parameters for the provider; they win over what the others imply. */
  readonly params?: SmsParams;
}

/** A JSON object whose members only the provider knows. */
export type SmsParams = Readonly<Record<string, unknown>>;

/** What the options of texts may be at most. */
export const smsOptionLimits = {
  /** Characters of a sender ID that is a name: 3GPP TS 23.040 §9.1.2.5. */
  senderNameLength: 11,
  /** A week, as carriers keep texts at most. */
  validityMinutes: 10_080,
  /** Members of the raw parameters, those inside each other included. */
  params: 32,
  /** Characters of a parameter's name. */
  paramNameLength: 64,
  /** Lists and objects inside each other, the parameters' own counted. */
  paramsDepth: 4,
  /** UTF-8 bytes of the parameters as JSON. */
  paramsBytes: 4096,
} as const;

/** Its members, as they are called where nothing else is said. */
export const smsOptionNames = [
  "sender",
  "provider",
  "validityMinutes",
  "allowReply",
  "escalate",
  "statusReport",
  "params",
] as const satisfies readonly (keyof SmsOptions)[];

/** How errors call a member; without one, all of the options. */
export type SmsOptionNaming = (member?: keyof SmsOptions) => string;

const ownNaming: SmsOptionNaming = (member) =>
  member === undefined ? "sms" : `sms.${member}`;

/**
 * Only what was given is a member of the answer; `undefined` when nothing was.
 *
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function checkSmsOptions(
  value: unknown,
  nameOf: SmsOptionNaming = ownNaming,
): SmsOptions | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(nameOf(), "an object is expected");
  }
  const given = value as Readonly<Record<string, unknown>>;
  const checked: Record<string, unknown> = {};
  for (const member of smsOptionNames) {
    const option = given[member];
    if (option === undefined || option === null) continue;
    checked[member] = checks[member](option, nameOf(member));
  }
  for (const name of Object.keys(given)) {
    if (smsOptionNames.some((member) => member === name)) continue;
    const known = smsOptionNames.map((member) => nameOf(member)).join(", ");
    throw invalid(nameOf(), `it has no member ${name}; there are ${known}`);
  }
  return Object.keys(checked).length > 0 ? checked : undefined;
}

/**
 * Whether the provider that texts are to go through is there.
 *
 * @param configured names of those that are
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function checkSmsProvider(
  provider: string,
  configured: readonly string[],
  nameOf: SmsOptionNaming = ownNaming,
): void {
  if (configured.includes(provider)) return;
  throw invalid(
    nameOf("provider"),
    // Which there are is known to operators alone.
    `there is no provider called ${JSON.stringify(provider)}; leave it out, or ask an operator for its name`,
  );
}

/**
 * Options of texts of which there are none would be lost without a word.
 *
 * @param protocols of the recipients
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function checkSmsIsSent(
  sms: SmsOptions | undefined,
  protocols: Iterable<string>,
  nameOf: SmsOptionNaming = ownNaming,
): void {
  if (sms === undefined) return;
  for (const protocol of protocols) if (protocol === "sms") return;
  throw invalid(nameOf(), "none of the recipients is reached by SMS");
}

type Check = (value: unknown, name: string) => unknown;

const checks: Readonly<Record<keyof SmsOptions, Check>> = {
  sender: checkSender,
  provider: checkProviderName,
  validityMinutes: checkValidity,
  allowReply: checkBoolean,
  escalate: checkBoolean,
  statusReport: checkBoolean,
  params: checkParams,
};

/** Longest name of a provider that is looked for, in characters. */
const maxProviderLength = 64;

function checkProviderName(value: unknown, name: string): string {
  if (
    typeof value === "string" &&
    value !== "" &&
    value.length <= maxProviderLength
  ) {
    return value;
  }
  throw invalid(
    name,
    `the name of a provider is expected, of ${maxProviderLength} characters at most`,
  );
}

/** What of it a carrier takes, and shows, is for the carrier to say. */
function checkSender(value: unknown, name: string): string {
  const { senderNameLength: most } = smsOptionLimits;
  if (typeof value === "string") {
    if (/^\+?[0-9]{3,15}$/.test(value)) return value;
    const isName =
      value.length <= most &&
      /^[A-Za-z0-9](?:[A-Za-z0-9 ._&-]*[A-Za-z0-9._-])?$/.test(value) &&
      /[A-Za-z]/.test(value);
    if (isName) return value;
  }
  throw invalid(
    name,
    `a name of 1 to ${most} ASCII letters, digits, blanks, or any of . _ - &, at least one of them a letter, or a number of 3 to 15 digits is expected`,
  );
}

function checkValidity(value: unknown, name: string): number {
  const { validityMinutes: most } = smsOptionLimits;
  if (
    typeof value === "number" &&
    Number.isInteger(value) &&
    value >= 1 &&
    value <= most
  ) {
    return value;
  }
  throw invalid(name, `whole minutes from 1 to ${most} are expected`);
}

function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw invalid(name, "true or false is expected");
}

function checkParams(value: unknown, name: string): SmsParams {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(name, "a JSON object is expected");
  }
  const { paramsBytes, params, paramsDepth, paramNameLength } = smsOptionLimits;
  const json = JSON.stringify(value);
  const bytes = new TextEncoder().encode(json);
  if (bytes.length > paramsBytes) {
    throw invalid(name, `as JSON it may have at most ${paramsBytes} bytes`);
  }
  const excess = findExcess(bytes, paramLimits);
  if (excess === "depth") {
    throw invalid(
      name,
      `lists and objects may be at most ${paramsDepth} deep inside each other`,
    );
  }
  if (excess !== undefined) {
    throw invalid(
      name,
      `it may have at most ${params} members and ${paramLimits.values} values`,
    );
  }
  // U+0000 stands escaped in JSON; PostgreSQL keeps it in no form.
  if (/(?<!\\)(\\\\)*\\u0000/.test(json)) {
    throw invalid(name, "it may not contain the character U+0000");
  }
  for (const param of Object.keys(value)) {
    if (param.length > paramNameLength || !/^[\w.:[\]-]+$/.test(param)) {
      throw invalid(
        name,
        `a name is 1 to ${paramNameLength} ASCII letters, digits, or any of _ . : - [ ]`,
      );
    }
    const letters = lettersOf(param);
    if (param === "__proto__" || reserved.has(letters)) {
      throw invalid(
        name,
        `${param} may not be given: recipient and text are those of the message`,
      );
    }
    if (configured.has(letters)) {
      throw invalid(
        name,
        `${param} may not be given: account and callbacks are those of the provider`,
      );
    }
  }
  // Just seen to be an object.
  return value as SmsParams;
}

const paramLimits: JsonLimits = {
  values: 4 * smsOptionLimits.params,
  members: smsOptionLimits.params,
  depth: smsOptionLimits.paramsDepth,
};

/**
 * What carriers call recipients and texts. Limits, guards and opt-outs were asked
 * about those of the message, so that no others may be sent. Each provider leaves
 * out what its carrier calls so; here the publisher is told.
 */
const reserved: ReadonlySet<string> = new Set([
  "to",
  "dst",
  "dest",
  "destaddr",
  "destination",
  "destinations",
  "destinationaddr",
  "destinationaddress",
  "destinationnumber",
  "mobile",
  "mobiles",
  "msisdn",
  "msisdns",
  "number",
  "numbers",
  "phone",
  "phones",
  "phonenumber",
  "phonenumbers",
  "rcv",
  "receiver",
  "receivers",
  "recipient",
  "recipients",
  "tel",
  "tonumber",
  "body",
  "content",
  "contentsid",
  "contentvariables",
  "hex",
  "mediaurl",
  "mediaurls",
  "message",
  "messagebody",
  "messagepayload",
  "messages",
  "messagetext",
  "msg",
  "shortmessage",
  "smstext",
  "text",
  "txt",
]);

/** What carriers call the account, and where they report. */
const configured: ReadonlySet<string> = new Set([
  "apiid",
  "apikey",
  "password",
  "pw",
  "sessionid",
  "user",
  "username",
  "callbackurl",
  "dlrurl",
  "statuscallback",
  "statussecret",
  "statusurl",
]);

/**
 * In small letters, without what stands between words; for many carriers `to[0]`
 * is an entry of a list `to`.
 */
function lettersOf(param: string): string {
  return param
    .toLowerCase()
    .replace(/\[.*/s, "")
    .replace(/[^a-z0-9]/g, "");
}

/** @param problem completes "Invalid sms.sender: …." */
function invalid(name: string, problem: string): CarillonError {
  return new CarillonError(
    "MESSAGE_OPTION_INVALID",
    `Invalid ${name}: ${problem}.`,
  );
}
