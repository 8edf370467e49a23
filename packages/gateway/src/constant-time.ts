/** Comparison that takes equally long wherever two secrets differ. */

/** The time depends on the length of `given` alone. */
export function equalsConstantTime(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let i = 0; i < given.length; i++) {
    // Past the end of the expected text there is nothing to be equal to, and
    // the lengths have differed already.
    difference |= given.charCodeAt(i) ^ (expected.charCodeAt(i) || 0);
  }
  return difference === 0;
}
