/**
 * Patterns of access policies: `*` stands for any run of characters, an empty
 * one too, `?` for exactly one UTF-16 unit. Owners write the patterns, others'
 * requests are held against them, so the cost is bounded: at most the square
 * of the text's length, whatever the pattern.
 */

/** What stands between the stars, in order; one piece when there is no star. */
export type Wildcard = readonly string[];

export function parseWildcard(pattern: string): Wildcard {
  return pattern.split(/\*+/);
}

export function matchesWildcard(pieces: Wildcard, text: string): boolean {
  const head = pieces[0] ?? "";
  if (pieces.length === 1) {
    return head.length === text.length && isAt(head, text, 0);
  }
  const tail = pieces[pieces.length - 1] ?? "";
  const end = text.length - tail.length;
  if (head.length > end || !isAt(head, text, 0) || !isAt(tail, text, end)) {
    return false;
  }
  // The leftmost place of each piece leaves the most room to those after it.
  let at = head.length;
  for (let i = 1; i < pieces.length - 1; i++) {
    const piece = pieces[i] ?? "";
    while (at + piece.length <= end && !isAt(piece, text, at)) at++;
    at += piece.length;
    if (at > end) return false;
  }
  return true;
}

function isAt(piece: string, text: string, at: number): boolean {
  if (!piece.includes("?")) return text.startsWith(piece, at);
  for (let i = 0; i < piece.length; i++) {
    if (piece[i] !== "?" && piece[i] !== text[at + i]) return false;
  }
  return at + piece.length <= text.length;
}
