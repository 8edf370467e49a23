/**
 * What is kept with a text of how a provider sent it: the sender and settings that
 * were the provider's own, and what its carrier said.
 */

import { MessageSendError } from "./errors.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";
import type { Provider } from "./provider.ts";

/** A value that is kept as it is. */
export type SenderValue = string | number | boolean | null;

/** Flat, by the names that providers give. */
export type SenderData = Readonly<Record<string, SenderValue>>;

/** Characters of a text that are kept. */
const maxTextLength = 500;

/** Members that are kept; a provider that tells more is a defect. */
const maxMembers = 50;

/**
 * Once a provider had the text. `sender` is there where the message named none;
 * `sender_state` is the carrier's code, of its yes or of its no. `undefined`: there
 * is nothing to keep.
 */
export function senderDataOf(
  provider: Pick<Provider, "from" | "senderData">,
  message: OutgoingMessage,
  error?: unknown,
): SenderData | undefined {
  const { code: metaCode, ...told } = message.meta ?? {};
  const refusedWith =
    error instanceof MessageSendError ? error.code : undefined;
  const members = {
    ...ownOf(provider, message),
    ...told,
    sender_state: refusedWith ?? metaCode,
  };
  const kept = Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .slice(0, maxMembers)
    .map(([name, value]) => [name, toSenderValue(value)]);
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

/** What was sent stays so, whatever a provider cannot say of it. */
function ownOf(
  provider: Pick<Provider, "from" | "senderData">,
  message: OutgoingMessage,
): Readonly<Record<string, unknown>> {
  const { src, providerOptions } = message;
  try {
    const sender = providerOptions.senderId ? undefined : src || provider.from;
    return { ...(sender && { sender }), ...provider.senderData(message) };
  } catch {
    return {};
  }
}

function toSenderValue(value: unknown): SenderValue {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") {
    return Number.isFinite(value) ? value : String(value);
  }
  const text = typeof value === "string" ? value : toJson(value);
  return text.slice(0, maxTextLength).toWellFormed();
}

/** What is not flat is kept as JSON. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    // A cycle, or a number that JSON does not have: it is worth no failure.
    return "";
  }
}
