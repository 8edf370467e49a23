/**
 * The kind of a number, for the guard of texts: by the numbering plans of
 * libphonenumber, a table that plans outgrow. They grow by new ranges and longer
 * numbers, never by shorter ones: so a number is too short or not known at worst,
 * and one that begins as a dear number is dear, however long it is.
 */

import type { parsePhoneNumber } from "awesome-phonenumber";

/** What a number that was read says of itself. */
export type ReadNumber = (
  number: string,
) => Pick<
  ReturnType<typeof parsePhoneNumber>,
  "valid" | "possibility" | "type"
>;

/** One of the library's words; `undefined`: it is not known. */
export function numberTypeOf(
  number: string,
  read: ReadNumber,
): string | undefined {
  const { valid, possibility, type } = read(number);
  if (valid) return type;
  const dear = dearTypeOf(number, read);
  if (dear !== undefined) return dear;
  return possibility === "too-short" ? possibility : undefined;
}

/** Kinds that are remembered at most; the oldest go. */
const maxKnown = 50_000;

/**
 * Looks kinds up once for a block of numbers: plans give numbers out by the
 * thousand at least, longer ones by ten thousand, of one kind.
 */
export function createNumberTypes(
  read: ReadNumber,
): (number: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (number) => {
    const block = blockOf(number);
    if (block === undefined) return numberTypeOf(number, read);
    if (known.has(block)) return known.get(block);
    const type = numberTypeOf(number, read);
    if (known.size === maxKnown) {
      const [oldest = ""] = known.keys();
      known.delete(oldest);
    }
    known.set(block, type);
    return type;
  };
}

/** `undefined` for short numbers, whose plans are made of single ones. */
function blockOf(number: string): string | undefined {
  const { length } = number;
  if (length < "+".length + 11) return undefined;
  return `${length}${number.slice(0, length >= "+".length + 13 ? -4 : -3)}`;
}

const longest = "+".length + 15;

const shortest = "+".length + 6;

/** That of a number with digits too many, or too few. */
function dearTypeOf(number: string, read: ReadNumber): string | undefined {
  // Exchanges ignore what is dialled behind a whole number.
  for (let end = number.length - 1; end >= shortest; end--) {
    const { valid, type } = read(number.slice(0, end));
    if (valid) return isDear(type) ? type : undefined;
  }
  // It has digits to come: whichever they are, they lead to a dear number.
  for (let end = number.length + 1; end <= longest; end++) {
    const readWith = (filler: string) => read(number.padEnd(end, filler)).type;
    const isAlways = [..."0123456789"].every((it) => isDear(readWith(it)));
    if (isAlways) return readWith("0");
  }
  return undefined;
}

function isDear(type: string | undefined): boolean {
  return type === "premium-rate" || type === "shared-cost";
}
