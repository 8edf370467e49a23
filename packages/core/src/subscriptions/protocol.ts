/** Protocols a subscription can have, and the endpoints that fit them. */

import { CarillonError } from "../errors.ts";
import { isStorable } from "../text.ts";

/** All protocols that a subscription can have. */
export const protocols = ["http", "https", "email", "sms"] as const;

/** How a subscription's endpoint is reached. */
export type Protocol = (typeof protocols)[number];

/** Whether a text names a protocol that subscriptions can have. */
export function isProtocol(text: string): text is Protocol {
  return (protocols as readonly string[]).includes(text);
}

/** @throws CarillonError PROTOCOL_INVALID */
export function checkProtocol(text: unknown): Protocol {
  if (typeof text === "string" && isProtocol(text)) return text;
  throw new CarillonError(
    "PROTOCOL_INVALID",
    `Invalid protocol: use one of ${protocols.join(", ")}.`,
  );
}

/**
 * Checks an endpoint's form and answers it in the form it is stored in.
 * Whether the address may be reached is the egress guard's question.
 *
 * @throws CarillonError ENDPOINT_INVALID
 */
export function checkEndpoint(protocol: Protocol, endpoint: unknown): string {
  if (typeof endpoint === "string" && endpoint.length <= 2048) {
    switch (protocol) {
      case "http":
      case "https":
        if (isHttpUrl(protocol, endpoint)) return endpoint;
        break;
      case "email":
        if (isMailAddress(endpoint)) return endpoint;
        break;
      case "sms":
        if (isPhoneNumber(endpoint)) return endpoint;
        break;
      default:
        protocol satisfies never;
    }
  }
  throw new CarillonError(
    "ENDPOINT_INVALID",
    `Invalid endpoint: protocol ${protocol} needs ${expected[protocol]}.`,
  );
}

const expected: Record<Protocol, string> = {
  http: "a URL that starts with http:// and has no user name in it",
  https: "a URL that starts with https:// and has no user name in it",
  email: "a mail address such as name@example.com",
  sms: "a phone number in international form such as +4915112345678",
};

function isHttpUrl(protocol: "http" | "https", text: string): boolean {
  if (!text.startsWith(`${protocol}://`) || /[\s\\]/.test(text)) return false;
  // The parser escapes it; what is kept is the text as it was given.
  if (!isStorable(text)) return false;
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    url.protocol === `${protocol}:` &&
    url.hostname !== "" &&
    url.username === "" &&
    url.password === ""
  );
}

/** One address, dot-atom form (RFC 5321 §4.1.2), no display name, no list. */
function isMailAddress(text: string): boolean {
  if (text.length > 254) return false;
  const match =
    /^([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64})@([A-Za-z0-9.-]{1,253})$/.exec(
      text,
    );
  if (!match) return false;
  const [, local = "", domain = ""] = match;
  return isDotSeparated(local) && isDomain(domain);
}

function isDotSeparated(text: string): boolean {
  return !text.startsWith(".") && !text.endsWith(".") && !text.includes("..");
}

function isDomain(text: string): boolean {
  return text
    .split(".")
    .every((label) =>
      /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label),
    );
}

/** E.164 with its plus, spaces and dashes not allowed (SMN's form). */
function isPhoneNumber(text: string): boolean {
  return /^\+[1-9]\d{5,14}$/.test(text);
}
