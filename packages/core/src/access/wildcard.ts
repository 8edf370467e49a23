/**
 * Patterns of access policies: `*` stands for any run of characters, an empty
 * one too, `?` for exactly one UTF-16 unit. Owners write the patterns, others'
 * requests are held against them, so the cost is bounded: linear in the text
 * and the pattern. A piece with `?` costs one step per 32 of its units and
 * unit of the text.
 */

/** A pattern, ready to be held against many texts. */
export interface Wildcard {
  /** What the text begins with; all of it when there is no star. */
  readonly head: string;
  /** What stands between the stars, in order. */
  readonly middle: readonly Finder[];
  /** What the text ends with; absent when there is no star. */
  readonly tail?: string;
}

/**
 * Finds a piece at its first place from `from` up to `end`. Answers the index
 * after its last unit; -1 when it stands nowhere there.
 */
type Finder = (text: string, from: number, end: number) => number;

export function parseWildcard(pattern: string): Wildcard {
  const [head = "", ...rest] = pattern.split(/\*+/);
  const tail = rest.pop();
  return {
    head,
    middle: rest.map((piece) =>
      piece.includes("?") ? findWithAny(piece) : findLiteral(piece),
    ),
    ...(tail !== undefined && { tail }),
  };
}

export function matchesWildcard(
  { head, middle, tail }: Wildcard,
  text: string,
): boolean {
  if (tail === undefined) {
    return head.length === text.length && isAt(head, text, 0);
  }
  const end = text.length - tail.length;
  if (head.length > end || !isAt(head, text, 0) || !isAt(tail, text, end)) {
    return false;
  }
  // The leftmost place of each piece leaves the most room to those after it.
  let at = head.length;
  for (const find of middle) {
    at = find(text, at, end);
    if (at < 0) return false;
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

/** Knuth, Morris and Pratt's search: no unit of the text is read twice. */
function findLiteral(piece: string): Finder {
  // For each length of a beginning of the piece, how long the longest shorter
  // beginning is that it ends with. Made when first needed.
  let borders: Uint32Array | undefined;
  return (text, from, end) => {
    if (from + piece.length > end) return -1;
    borders ??= bordersOf(piece);
    let matched = 0;
    for (let i = from; i < end; i++) {
      const unit = text.charCodeAt(i);
      while (matched > 0 && piece.charCodeAt(matched) !== unit) {
        matched = borders[matched] ?? 0;
      }
      if (piece.charCodeAt(matched) === unit) matched++;
      if (matched === piece.length) return i + 1;
    }
    return -1;
  };
}

function bordersOf(piece: string): Uint32Array {
  const borders = new Uint32Array(piece.length + 1);
  let border = 0;
  for (let i = 1; i < piece.length; i++) {
    while (border > 0 && piece[i] !== piece[border]) {
      border = borders[border] ?? 0;
    }
    if (piece[i] === piece[border]) border++;
    borders[i + 1] = border;
  }
  return borders;
}

/**
 * Baeza-Yates and Gonnet's search (shift-and): bit i says that the units read
 * last are the piece's first i + 1.
 */
function findWithAny(piece: string): Finder {
  const words = Math.ceil(piece.length / 32);
  let masks: ReturnType<typeof masksOf> | undefined;
  return (text, from, end) => {
    if (from + piece.length > end) return -1;
    masks ??= masksOf(piece, words);
    const state = new Uint32Array(words);
    for (let i = from; i < end; i++) {
      const mask = masks.byUnit.get(text.charCodeAt(i)) ?? masks.other;
      // A place may begin at each unit.
      let carry = 1;
      for (let word = 0; word < words; word++) {
        const before = state[word] ?? 0;
        state[word] = ((before << 1) | carry) & (mask[word] ?? 0);
        carry = before >>> 31;
      }
      const last = state[words - 1] ?? 0;
      if ((last >>> ((piece.length - 1) & 31)) & 1) return i + 1;
    }
    return -1;
  };
}

/** For each unit, a bit for each of the piece's places that it fits. */
function masksOf(piece: string, words: number) {
  const other = new Uint32Array(words);
  for (let i = 0; i < piece.length; i++) {
    if (piece[i] === "?") setBit(other, i);
  }
  const byUnit = new Map<number, Uint32Array>();
  for (let i = 0; i < piece.length; i++) {
    if (piece[i] === "?") continue;
    const unit = piece.charCodeAt(i);
    let mask = byUnit.get(unit);
    if (mask === undefined) {
      mask = other.slice();
      byUnit.set(unit, mask);
    }
    setBit(mask, i);
  }
  return { byUnit, other };
}

function setBit(words: Uint32Array, at: number): void {
  words[at >>> 5] = (words[at >>> 5] ?? 0) | (1 << (at & 31));
}
