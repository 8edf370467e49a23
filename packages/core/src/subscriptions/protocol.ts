/** Protocols a subscription can have, and the endpoints that fit them. */

import { CarillonError } from "../errors.ts";
import { problemWithUrl } from "./endpoint-url.ts";
import { problemWithMailAddress } from "./mail-address.ts";

/** All protocols that a subscription can have. */
export const protocols = ["http", "https", "email", "sms"] as const;

/** How a subscription's endpoint is reached. */
export type Protocol = (typeof protocols)[number];

/**
 * SMN's other protocols, which nothing is delivered by yet. `dms` is retired
 * there, and tools still offer it for templates.
 */
export const undeliveredProtocols = [
  "functionstage",
  "functiongraph",
  "callnotify",
  "dingding",
  "dingTalkBot",
  "feishu",
  "wechat",
  "welink",
  "dms",
] as const;

/** Whether a text names a protocol that subscriptions can have. */
export function isProtocol(text: string): text is Protocol {
  return (protocols as readonly string[]).includes(text);
}

/** @throws CarillonError PROTOCOL_INVALID */
export function checkProtocol(text: unknown): Protocol {
  if (typeof text === "string" && isProtocol(text)) return text;
  const isUndelivered = (undeliveredProtocols as readonly unknown[]).includes(
    text,
  );
  throw new CarillonError(
    "PROTOCOL_INVALID",
    isUndelivered
      ? `Nothing is delivered by the protocol ${text} here yet: use one of ${protocols.join(", ")}.`
      : `Invalid protocol: use one of ${protocols.join(", ")}.`,
  );
}

/**
 * Checks an endpoint's form and answers it in the form it is stored in.
 * Whether the address may be reached is the egress guard's question.
 *
 * @throws CarillonError ENDPOINT_INVALID
 */
export function checkEndpoint(protocol: Protocol, endpoint: unknown): string {
  if (typeof endpoint !== "string") {
    throw invalidEndpoint(protocol, "a text is expected");
  }
  const problem =
    endpoint.length > maxEndpointLength
      ? `it is longer than ${maxEndpointLength} characters`
      : problemWith(protocol, endpoint);
  if (problem === undefined) return endpoint;
  throw invalidEndpoint(protocol, problem);
}

const maxEndpointLength = 2048;

function problemWith(protocol: Protocol, text: string): string | undefined {
  switch (protocol) {
    case "http":
    case "https":
      return problemWithUrl(protocol, text);
    case "email":
      return problemWithMailAddress(text);
    case "sms":
      return problemWithPhoneNumber(text);
    default:
      return protocol satisfies never;
  }
}

/** E.164 with its plus, spaces and dashes not allowed (SMN's form). */
function problemWithPhoneNumber(text: string): string | undefined {
  if (/^\+[1-9]\d{5,14}$/.test(text)) return undefined;
  if (!text.startsWith("+")) return "it does not start with +";
  return /^\+\d*$/.test(text)
    ? "a country code, which does not begin with 0, and 6 to 15 digits in all are expected"
    : "only digits may follow its +, no blanks or dashes";
}

/** @param problem completes "…; " */
function invalidEndpoint(protocol: Protocol, problem: string): CarillonError {
  return new CarillonError(
    "ENDPOINT_INVALID",
    `Invalid endpoint: protocol ${protocol} needs ${expected[protocol]}; ${problem}.`,
  );
}

const expected: Record<Protocol, string> = {
  http: "a URL that starts with http://",
  https: "a URL that starts with https://",
  email: "a mail address such as name@example.com",
  sms: "a phone number in international form such as +4915112345678",
};
