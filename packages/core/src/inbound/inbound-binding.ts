/**
 * Which topic a text from a phone is published to: by the number it was sent
 * to, by its keyword, or by both.
 */

import { checkNotEventTopic } from "../events/event-topic.ts";
import { keywordOf } from "./inbound-message.ts";

export interface InboundBinding {
  /** Digits; absent: any number, and those the carrier does not name. */
  readonly number?: string;
  /** In capitals; absent: any text. */
  readonly keyword?: string;
  readonly topicName: string;
}

/**
 * Parses `number[/keyword]=topic`, with `*` for any number; `undefined` when
 * it is none. The topic need not exist yet.
 *
 * @throws CarillonError TOPIC_RESERVED
 */
export function parseInboundBinding(text: string): InboundBinding | undefined {
  const [, number = "", keyword, topicName = ""] =
    /^\s*(\*|\+?[0-9]{2,15})(?:\/([^=/]+))?\s*=\s*([A-Za-z0-9][A-Za-z0-9_-]{0,254})\s*$/.exec(
      text,
    ) ?? [];
  if (topicName === "") return undefined;
  const word = keyword === undefined ? undefined : keywordOf(keyword);
  // More than one word would never be the first word of a text.
  if (keyword !== undefined && word !== fold(keyword)) return undefined;
  checkNotEventTopic(topicName);
  return {
    ...(number !== "*" && { number: number.replace("+", "") }),
    ...(word !== undefined && { keyword: word }),
    topicName,
  };
}

/** What a binding is for, as text: equal for two that are for the same. */
export function inboundBindingKey(
  binding: Pick<InboundBinding, "number" | "keyword">,
): string {
  const { number = "*", keyword } = binding;
  return keyword === undefined ? number : `${number}/${keyword}`;
}

/**
 * Answers a function from what came in to the most specific binding: number
 * and keyword, number, keyword alone, any.
 *
 * @throws TypeError when two bindings are for the same
 */
export function createInboundBindings(
  bindings: readonly InboundBinding[],
): (
  number: string | undefined,
  keyword: string | undefined,
) => InboundBinding | undefined {
  const byKey = new Map<string, InboundBinding>();
  for (const binding of bindings) {
    const key = inboundBindingKey(binding);
    if (byKey.has(key)) throw new TypeError(`Two bindings are for ${key}.`);
    byKey.set(key, binding);
  }
  return (number, keyword) => {
    const digits = number?.replace(/[^0-9]/g, "") || undefined;
    for (const candidate of [
      digits && keyword ? `${digits}/${keyword}` : undefined,
      digits,
      keyword && `*/${keyword}`,
      "*",
    ]) {
      const found = candidate && byKey.get(candidate);
      if (found) return found;
    }
    return undefined;
  };
}

function fold(keyword: string): string {
  return keyword.trim().normalize("NFC").toUpperCase();
}
