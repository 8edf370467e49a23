/**
 * What to write for characters that GSM-7 lacks and that do not fall apart
 * into a base letter and marks. Data only.
 */

// Each line: the replacement, then every character it stands for.
// biome-ignore format: a table
const REPLACEMENTS: readonly (readonly [string, string])[] = [
  ['"', "“”„‟«»″‶〝〞＂"],
  ["'", "‘’‚‛‹›′‵`´ʻʼʽˈʹ＇"],
  ["-", "‐‑‒–—―−⁃﹘﹣－"],
  ["...", "…"],
  ["..", "‥"],
  [" ", "\t\v\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"],
  ["\n", "\u0085\u2028\u2029"],
  ["*", "•‣∙·●▪★☆✓✔∗"],
  ["/", "⁄∕÷"],
  ["x", "×✗✘"],
  ["1/2", "½"], ["1/3", "⅓"], ["2/3", "⅔"], ["1/4", "¼"], ["3/4", "¾"],
  ["1/5", "⅕"], ["1/8", "⅛"], ["3/8", "⅜"], ["5/8", "⅝"], ["7/8", "⅞"],
  ["c", "ç"], ["C", "Ć"],
  ["l", "łŀ"], ["L", "ŁĿ"], ["d", "đð"], ["D", "ĐÐ"], ["h", "ħ"], ["H", "Ħ"],
  ["i", "ı"], ["k", "ĸ"], ["n", "ŋ"], ["N", "Ŋ"], ["t", "ŧ"], ["T", "Ŧ"],
  ["oe", "œ"], ["OE", "Œ"], ["th", "þ"], ["Th", "Þ"], ["SS", "ẞ"],
  ["a", "ɐə"], ["A", "Ə"], ["f", "ƒ"],
  ["(c)", "©"], ["(r)", "®"], ["TM", "™"], ["No", "№"], ["u", "µ"],
  ["o", "º°"], ["a", "ª"], ["->", "→⇒"], ["<-", "←⇐"],
  ["<=", "≤"], [">=", "≥"], ["!=", "≠"], ["~", "≈∼"], ["+/-", "±"],
  ["|", "¦"], ["_", "‗"], ["-", "¬¯"],
  // Greek capitals that look Latin, and the small letters of all the rest.
  ["A", "Α"], ["B", "Β"], ["E", "Ε"], ["Z", "Ζ"], ["H", "Η"], ["I", "Ι"],
  ["K", "Κ"], ["M", "Μ"], ["N", "Ν"], ["O", "Ο"], ["P", "Ρ"], ["T", "Τ"],
  ["Y", "Υ"], ["X", "Χ"],
  ["A", "α"], ["B", "β"], ["Γ", "γ"], ["Δ", "δ"], ["E", "ε"], ["Z", "ζ"],
  ["H", "η"], ["Θ", "θ"], ["I", "ι"], ["K", "κ"], ["Λ", "λ"], ["M", "μ"],
  ["N", "ν"], ["Ξ", "ξ"], ["O", "ο"], ["Π", "π"], ["P", "ρ"], ["Σ", "σς"],
  ["T", "τ"], ["Y", "υ"], ["Φ", "φ"], ["X", "χ"], ["Ψ", "ψ"], ["Ω", "ω"],
];

// biome-ignore format: a table
const CYRILLIC: readonly (readonly [string, string])[] = [
  ["a", "а"], ["b", "б"], ["v", "в"], ["g", "гґ"], ["d", "д"], ["e", "еэ"],
  ["yo", "ё"], ["zh", "ж"], ["z", "з"], ["i", "иі"], ["y", "йы"], ["k", "к"],
  ["l", "л"], ["m", "м"], ["n", "н"], ["o", "о"], ["p", "п"], ["r", "р"],
  ["s", "с"], ["t", "т"], ["u", "у"], ["f", "ф"], ["kh", "х"], ["ts", "ц"],
  ["ch", "ч"], ["sh", "ш"], ["shch", "щ"], ["", "ъь"], ["yu", "ю"],
  ["ya", "я"], ["ye", "є"], ["yi", "ї"], ["u", "ў"], ["j", "ј"], ["lj", "љ"],
  ["nj", "њ"], ["c", "ћ"], ["dj", "ђ"], ["dz", "џ"],
];

let general: ReadonlyMap<string, string> | undefined;
let cyrillic: ReadonlyMap<string, string> | undefined;

/** The replacement of one character, if the table has one. */
export function replacementOf(character: string): string | undefined {
  general ??= toMap(REPLACEMENTS);
  return general.get(character);
}

/** The Latin spelling of a Cyrillic letter, in its case. */
export function latinOfCyrillic(character: string): string | undefined {
  cyrillic ??= toMap(CYRILLIC);
  const found = cyrillic.get(character);
  if (found !== undefined) return found;
  const small = cyrillic.get(character.toLowerCase());
  if (small === undefined) return undefined;
  return small.charAt(0).toUpperCase() + small.slice(1);
}

function toMap(
  table: readonly (readonly [string, string])[],
): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [replacement, characters] of table) {
    for (const character of characters) map.set(character, replacement);
  }
  return map;
}
