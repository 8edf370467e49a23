/** Messages as people name them: by the beginning of their id. */

import type { MessageReport, Messages } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { orNoSuch } from "./lookup.ts";

/**
 * How much of an id tables show: its time to the millisecond and some random
 * digits, so that it is rarely another's beginning.
 */
const shortLength = 16;

/** Among how many of the newest messages a beginning is looked for. */
const searched = 1000;

export function shortMessageId({ id }: Pick<MessageReport, "id">): string {
  return id.slice(0, shortLength);
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
