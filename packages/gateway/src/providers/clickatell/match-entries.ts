/** Which part of an answer is about which text of a request. */

import { asObject, type JsonObject } from "../../carrier-answer.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import { digitsOnly } from "../../phone-number.ts";

/**
 * Each text's entry by its recipient, texts to one recipient in their order;
 * then, where the counts agree, those that name no recipient of the request.
 * A text without an entry is not in the map.
 *
 * @param given the answer's list, whatever it is
 */
export function matchEntries(
  messages: readonly OutgoingMessage[],
  given: unknown,
): ReadonlyMap<OutgoingMessage, JsonObject> {
  const found = new Map<OutgoingMessage, JsonObject>();
  const list: readonly unknown[] = Array.isArray(given) ? given : [];
  const entries = list.map(asObject).filter((it) => it !== undefined);
  const entriesTo = Map.groupBy(entries, ({ to }) =>
    typeof to === "string" || typeof to === "number"
      ? digitsOnly(String(to))
      : "",
  );
  const messagesTo = Map.groupBy(messages, ({ dst }) => dst);
  for (const [dst, some] of messagesTo) {
    const own = entriesTo.get(dst) ?? [];
    if (own.length === some.length) pair(some, own, found);
  }
  const left = messages.filter((it) => !found.has(it));
  const nameless = [...entriesTo].flatMap(([to, some]) =>
    messagesTo.has(to) ? [] : some,
  );
  if (left.length === nameless.length) pair(left, nameless, found);
  return found;
}

function pair(
  messages: readonly OutgoingMessage[],
  entries: readonly JsonObject[],
  found: Map<OutgoingMessage, JsonObject>,
): void {
  for (const [at, message] of messages.entries()) {
    const entry = entries[at];
    if (entry) found.set(message, entry);
  }
}
