/**
 * What a publisher may say of the mails of a message, and of them alone. For
 * recipients that are reached otherwise it means nothing.
 */

import { CarillonError } from "../errors.ts";
import type { Protocols } from "../subscriptions/protocol.ts";
import { isOneLine } from "../text.ts";

/** Checked. What is absent is as the service is set up. */
export interface EmailOptions {
  /** Name of the configured backend that sends it, and no other. */
  readonly backend?: string;
  /** Address of the sender. */
  readonly from?: string;
  /** Shown beside the sender's address. */
  readonly senderName?: string;
  readonly replyTo?: string;
  /** Where one POST ends the recipient's subscription (RFC 8058). */
  readonly unsubscribeUrl?: string;
}

/** What the options of mails may be at most. */
export const emailOptionLimits = {
  /** Characters of a sender's name. */
  senderNameLength: 128,
  /** Characters; it stands in one header line of 998 bytes (RFC 5322 §2.1.1). */
  unsubscribeUrlLength: 900,
} as const;

/** Its members, as they are called where nothing else is said. */
export const emailOptionNames = [
  "backend",
  "from",
  "senderName",
  "replyTo",
  "unsubscribeUrl",
] as const satisfies readonly (keyof EmailOptions)[];

/** What a publisher can give. */
export type EmailOptionName = (typeof emailOptionNames)[number];

/** How errors call a member; without one, all of the options. */
export type EmailOptionNaming = (member?: EmailOptionName) => string;

/** What the check of options needs to know of the service. */
export interface EmailOptionPorts {
  readonly protocols: Pick<Protocols, "find">;
  /** Whether mails may be sent from an address. Default: from any. */
  readonly isEmailSender?: ((address: string) => boolean) | undefined;
  /** Whether there is a backend of that name. Default: there is none. */
  readonly isEmailBackend?: ((name: string) => boolean) | undefined;
}

const ownNaming: EmailOptionNaming = (member) =>
  member === undefined ? "email" : `email.${member}`;

/**
 * Only what was given is a member of the answer; `undefined` when nothing was.
 *
 * @throws CarillonError MESSAGE_OPTION_INVALID
 */
export function checkEmailOptions(
  value: unknown,
  ports: EmailOptionPorts,
  nameOf: EmailOptionNaming = ownNaming,
): EmailOptions | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalid(nameOf(), "an object is expected");
  }
  const given = value as Readonly<Record<string, unknown>>;
  const checked: Partial<Record<EmailOptionName, string>> = {};
  for (const member of emailOptionNames) {
    const option = given[member];
    if (option === undefined || option === null) continue;
    checked[member] = checks[member](option, nameOf(member), ports);
  }
  for (const name of Object.keys(given)) {
    if (emailOptionNames.some((member) => member === name)) continue;
    const known = emailOptionNames.map((member) => nameOf(member)).join(", ");
    throw invalid(nameOf(), `it has no member ${name}; there are ${known}`);
  }
  return Object.keys(checked).length > 0 ? checked : undefined;
}

type Check = (value: unknown, name: string, ports: EmailOptionPorts) => string;

const checks: Readonly<Record<EmailOptionName, Check>> = {
  backend: checkBackend,
  from: checkSender,
  senderName: checkSenderName,
  replyTo: checkAddress,
  unsubscribeUrl: checkUnsubscribeUrl,
};

function checkBackend(
  value: unknown,
  name: string,
  { isEmailBackend = () => false }: EmailOptionPorts,
): string {
  if (typeof value === "string" && isEmailBackend(value)) return value;
  throw invalid(name, "the name of a backend of email.backends is expected");
}

function checkSender(
  value: unknown,
  name: string,
  ports: EmailOptionPorts,
): string {
  const address = checkAddress(value, name, ports);
  const { isEmailSender = () => true } = ports;
  if (isEmailSender(address)) return address;
  throw invalid(
    name,
    // Which there are is known to operators alone.
    `mails may not be sent from ${address}; leave it out, or ask an operator to add it, or its domain, to email.senders`,
  );
}

/** Longest mail address that is looked at, in characters (RFC 5321 §4.5.3.1). */
const maxAddressLength = 320;

function checkAddress(
  value: unknown,
  name: string,
  { protocols }: EmailOptionPorts,
): string {
  const expected = "a mail address such as name@example.com is expected";
  if (typeof value !== "string" || value.length > maxAddressLength) {
    throw invalid(name, expected);
  }
  const definition = protocols.find("email");
  const problem = definition
    ? definition.problemWithEndpoint(value)
    : "protocol email is not set up";
  if (problem === undefined) return value;
  throw invalid(name, `${expected}; ${problem}`);
}

function checkSenderName(value: unknown, name: string): string {
  const { senderNameLength: most } = emailOptionLimits;
  if (
    typeof value === "string" &&
    value.trim() !== "" &&
    value.length <= most &&
    isOneLine(value)
  ) {
    return value;
  }
  throw invalid(
    name,
    `1 to ${most} characters on one line, without control characters, are expected`,
  );
}

/** RFC 8058 §3.1: an HTTPS URI. */
function checkUnsubscribeUrl(value: unknown, name: string): string {
  const { unsubscribeUrlLength: most } = emailOptionLimits;
  const hasForm =
    typeof value === "string" &&
    value.length <= most &&
    // What a header may have between < and >: no blank, no end of it.
    /^https:\/\/[!-;=?-~]+$/.test(value);
  const url = hasForm ? URL.parse(value) : null;
  if (hasForm && url && url.username === "" && url.password === "") {
    return value;
  }
  throw invalid(
    name,
    `an https URL of at most ${most} ASCII characters, without user name and password, is expected`,
  );
}

/** @param problem completes "Invalid email.from: …." */
function invalid(name: string, problem: string): CarillonError {
  return new CarillonError(
    "MESSAGE_OPTION_INVALID",
    `Invalid ${name}: ${problem}.`,
  );
}
