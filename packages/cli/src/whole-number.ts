/** Numbers of the command line. */

import { InvalidArgumentError } from "commander";

/** A parser for an option that takes a whole number within a range. */
export function wholeNumber(
  min: number,
  max: number,
  unit = "",
): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d{1,15}$/.test(text) && number >= min && number <= max) {
      return number;
    }
    throw new InvalidArgumentError(
      `A whole number${unit && ` of ${unit}`} from ${min} to ${max} is expected.`,
    );
  };
}
