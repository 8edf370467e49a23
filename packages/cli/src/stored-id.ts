/** Stored messages as people name them: by the beginning of an id. */

import type { StoredMessageSummary } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { splitDeliveryId } from "./message-id.ts";
import type { StoredKind } from "./stored-kind.ts";
import { minIdLength } from "./table.ts";

/** Among how many of the newest a beginning is looked for. */
const searched = 1000;

/** So many of an ambiguous beginning's candidates are named. */
const maxCandidates = 5;

type List = (query: {
  readonly pageSize: number;
}) => AsyncIterable<Pick<StoredMessageSummary, "id">>;

/**
 * The whole id, given it, or 8 digits or more of its beginning if it is among
 * the newest 1000 of the project, with a dash and its last number or without.
 *
 * @throws CommandFailure when none, or more than one, begins so
 */
export async function findStoredId(
  list: List,
  { noun, word }: Pick<StoredKind, "noun" | "word">,
  text: string,
): Promise<string> {
  if (/^[0-9a-f]{32}-\d+$/.test(text)) return text;
  const shown = `carillon ${noun} list shows those there are`;
  if (!/^[0-9a-f]+(-\d+)?$/.test(text)) {
    throw new CommandFailure(`There is no ${word} "${text}": ${shown}.`);
  }
  const { messageId: begin, target } = text.includes("-")
    ? splitDeliveryId(text)
    : { messageId: text, target: undefined };
  if (begin.length < minIdLength) {
    throw new CommandFailure(
      `"${text}" is too short for a ${word}'s id: give ${minIdLength} digits or more of it; ${shown}.`,
    );
  }
  const candidates: string[] = [];
  let seen = 0;
  for await (const { id } of list({ pageSize: searched })) {
    const whole = splitDeliveryId(id);
    const isMeant = target === undefined || whole.target === target;
    if (isMeant && whole.messageId.startsWith(begin)) candidates.push(id);
    if (++seen === searched) break;
  }
  const [first, second] = candidates;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined) {
    throw new CommandFailure(
      `None of the newest ${searched} ${word}s begins with ${text}: give the whole id of an older one.`,
    );
  }
  const named = candidates.slice(0, maxCandidates).join(", ");
  const more = candidates.length > maxCandidates ? ", …" : "";
  throw new CommandFailure(
    `${candidates.length} ${word}s begin with ${text}: ${named}${more}.`,
  );
}
