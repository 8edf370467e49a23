/** Messages and deliveries as people name them: by the beginning of an id. */

import type { MessageReport, Messages } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { orNoSuch, type Word } from "./lookup.ts";

/**
 * How much of an id tables show: its time to the millisecond and some random
 * digits, so that it is rarely another's beginning.
 */
const shortLength = 16;

/** How deliveries are named. */
export const deliveryNaming: Word = {
  noun: "deliveries",
  word: "delivery",
  listedBy: "carillon deliveries <message>",
};

/** Among how many of the newest messages a beginning is looked for. */
const searched = 1000;

export function shortMessageId({ id }: Pick<MessageReport, "id">): string {
  return id.slice(0, shortLength);
}

/** The beginning of the message's id, a dash and the number of the target. */
export function shortDeliveryId(id: string): string {
  const { messageId, target } = splitDeliveryId(id);
  return `${messageId.slice(0, shortLength)}-${target}`;
}

/** The two parts of a delivery's id. */
export function splitDeliveryId(id: string): {
  readonly messageId: string;
  readonly target: string;
} {
  const at = id.lastIndexOf("-");
  return { messageId: id.slice(0, at), target: id.slice(at + 1) };
}

/** Whether a text is a delivery's id, or one with the beginning of its message's. */
export function isDeliveryId(text: string): boolean {
  return /^[0-9a-f]+-\d+$/.test(text);
}

/**
 * A delivery's whole id, given it or one that has the beginning of its message's
 * id; `undefined` for what is no delivery's id.
 *
 * @throws CommandFailure when no message, or more than one, begins so
 */
export async function findDeliveryId(
  messages: Pick<Messages, "get" | "list">,
  text: string,
): Promise<string | undefined> {
  if (!isDeliveryId(text)) return undefined;
  const { messageId, target } = splitDeliveryId(text);
  return `${await findMessageId(messages, messageId)}-${target}`;
}

/**
 * A message's whole id, given all of it, or 8 digits or more of its beginning
 * if it is among the newest 1000 of the project: one request.
 *
 * @throws CommandFailure when no message, or more than one, begins so
 */
export async function findMessageId(
  messages: Pick<Messages, "get" | "list">,
  text: string,
): Promise<string> {
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  if (/^[0-9a-f]{1,7}$/.test(text)) {
    throw new CommandFailure(
      `"${text}" is too short for a message's id: give 8 digits or more of it; carillon messages list shows them.`,
    );
  }
  if (!/^[0-9a-f]{8,31}$/.test(text)) {
    const naming = { noun: "messages", word: "message" };
    return (await orNoSuch(naming, text, messages.get(text))).id;
  }
  const candidates: string[] = [];
  let seen = 0;
  for await (const { id } of messages.list({ pageSize: searched })) {
    if (id.startsWith(text)) candidates.push(id);
    if (++seen === searched) break;
  }
  const [first, second] = candidates;
  if (first !== undefined && second === undefined) return first;
  throw new CommandFailure(
    first === undefined
      ? `None of the newest ${searched} messages begins with ${text}: give the whole id of an older one.`
      : `${candidates.length} messages begin with ${text}: ${candidates.slice(0, 5).join(", ")}${candidates.length > 5 ? ", …" : ""}.`,
  );
}
