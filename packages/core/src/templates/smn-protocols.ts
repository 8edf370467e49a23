/**
 * Every protocol name that clients of SMN may write into templates and message
 * attributes. Carillon delivers `protocols` only; the others are kept as they
 * come, so that what was written for the cloud is not refused here. The
 * retired `application` is not among them.
 */

import { protocols, undeliveredProtocols } from "../subscriptions/protocol.ts";

export const smnProtocols = [...protocols, ...undeliveredProtocols] as const;

export type SmnProtocol = (typeof smnProtocols)[number];

export function isSmnProtocol(text: string): text is SmnProtocol {
  return (smnProtocols as readonly string[]).includes(text);
}
