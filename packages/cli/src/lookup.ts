/** Finds the one of several things that a word of the command line means. */

import { ResourceNotFoundError } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { minIdLength } from "./table.ts";

/** How things of a kind are named. */
export interface Naming<Thing> {
  /** As in `carillon user`. */
  readonly noun: string;
  /** What one is called, if not as the command. */
  readonly word?: string;
  /** The command that shows them, if it is not the noun's `list`. */
  readonly listedBy?: string;
  /** The server's words for that there is none; by default any of its 404. */
  readonly codes?: readonly string[];
  readonly idOf: (thing: Thing) => string;
  /** Absent for what has no name. */
  readonly nameOf?: (thing: Thing) => string;
}

/** How things are named of which there may be too many to look through. */
export type Word = Pick<Naming<never>, "noun" | "word" | "listedBy" | "codes">;

/** So many of an ambiguous start's candidates are named. */
const maxCandidates = 5;

/**
 * The one with that id, else the one with that name, else the one whose id
 * begins so, with eight characters or more.
 *
 * @param where what the message says of where it was looked for
 * @throws CommandFailure when there is none, or it may be several
 */
export function chooseOne<Thing>(
  all: readonly Thing[],
  naming: Naming<Thing>,
  reference: string,
  where = "",
): Thing {
  const { noun, word = noun, idOf, nameOf } = naming;
  const withId = all.find((it) => idOf(it) === reference);
  if (withId) return withId;
  const named = all.filter((it) => nameOf?.(it) === reference);
  if (named.length > 0) {
    return single(named, naming, `${word}s are called "${reference}"`);
  }
  const begun = all.filter((it) => idOf(it).startsWith(reference));
  if (begun.length > 0 && reference.length < minIdLength) {
    throw new CommandFailure(
      `"${reference}" is too short for a ${word}'s id: give ${minIdLength} characters or more of it; ${listingOf(naming)} shows them.`,
    );
  }
  if (begun.length > 0) {
    return single(begun, naming, `${word}s have ids that begin ${reference}`);
  }
  throw noSuch(naming, reference, where);
}

/** The failure of whoever asked for what is not there. */
function noSuch(
  { noun, word = noun, ...naming }: Word,
  reference: string,
  where = "",
): CommandFailure {
  return new CommandFailure(
    `There is no ${word} "${reference}"${where}: ${listingOf({ noun, ...naming })} shows those there are.`,
  );
}

function listingOf({ noun, listedBy }: Word): string {
  return listedBy ?? `carillon ${noun} list`;
}

/**
 * Asks the server for the one of that id.
 *
 * @throws CommandFailure when there is none
 */
export async function orNoSuch<Thing>(
  naming: Word,
  reference: string,
  asked: Promise<Thing>,
): Promise<Thing> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof ResourceNotFoundError)) throw error;
    // Another server, or an older one, lacks the operation itself.
    const { smnCode } = error;
    if (smnCode === undefined || smnCode === "ROUTE_NOT_FOUND") throw error;
    if (naming.codes?.includes(smnCode) === false) throw error;
    throw noSuch(naming, reference);
  }
}

/** @throws CommandFailure when they are several */
function single<Thing>(
  candidates: readonly Thing[],
  { idOf, nameOf }: Naming<Thing>,
  what: string,
): Thing {
  const [one, ...others] = candidates;
  if (one !== undefined && others.length === 0) return one;
  const shown = candidates.slice(0, maxCandidates).map((it) => {
    const name = nameOf?.(it);
    return name === undefined ? idOf(it) : `${idOf(it)} (${name})`;
  });
  const more = candidates.length > maxCandidates ? ", …" : "";
  throw new CommandFailure(
    `${candidates.length} ${what}: give the id of one, of ${shown.join(", ")}${more}.`,
  );
}
