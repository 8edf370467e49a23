/** Text from elsewhere, such as a receiver's answer or a display name. */

const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;

/**
 * On one line, and harmless: it cannot move the cursor, colour the terminal or
 * turn what follows around.
 */
export function printable(text: string): string {
  return text.replace(control, " ").trim();
}

/** As {@link printable}, with its lines and their indents as they are. */
export function printableLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.replace(control, " ").trimEnd())
    .join("\n");
}
