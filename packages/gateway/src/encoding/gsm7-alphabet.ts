/**
 * The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038
 * §6.2.1), and a class for every UTF-16 code unit so that one look-up per unit
 * answers all that analysis asks. National shift tables are not used.
 */

/** The basic table; the position of a character is its septet. */
// biome-ignore format: sixteen characters a line, as in the standard
const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅå" +
  "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ" +
  " !\"#¤%&'()*+,-./" +
  "0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNO" +
  "PQRSTUVWXYZÄÖÑÜ§" +
  "¿abcdefghijklmno" +
  "pqrstuvwxyzäöñüà";

/** Characters that take the escape septet and one more. */
const EXTENSION: ReadonlyMap<number, string> = new Map([
  [0x0a, "\f"],
  [0x14, "^"],
  [0x28, "{"],
  [0x29, "}"],
  [0x2f, "\\"],
  [0x3c, "["],
  [0x3d, "~"],
  [0x3e, "]"],
  [0x40, "|"],
  [0x65, "€"],
]);

/** The septet that announces a character of the extension table. */
export const ESCAPE = 0x1b;

/** One septet. */
export const CLASS_BASIC = 1;
/** Two septets. */
export const CLASS_EXTENSION = 2;
/** Not in the alphabet. */
export const CLASS_OTHER = 4;
/** Normalising to NFC may change it or join it with its neighbour. */
export const CLASS_COMPOSES = 8;
/** The escape character, which is not text. */
export const CLASS_ESCAPE = 16;
/** Half of a surrogate pair. */
export const CLASS_SURROGATE = 32;
/** Carriage return. */
export const CLASS_RETURN = 64;

let classes: Uint8Array | undefined;
let septets: Map<number, number> | undefined;

/** The classes of all 65,536 code units; built at the first call. */
export function codeUnitClasses(): Uint8Array {
  classes ??= buildClasses();
  return classes;
}

/** The character of a septet in the basic table. */
export function basicCharacter(septet: number): string {
  return BASIC[septet] ?? "\ufffd";
}

/** The character of a septet after the escape, if it is defined. */
export function extensionCharacter(septet: number): string | undefined {
  return EXTENSION.get(septet);
}

/**
 * The septet of a code unit: below 128 in the basic table, 128 more in the
 * extension table, undefined when it has none.
 */
export function septetOf(codeUnit: number): number | undefined {
  septets ??= buildSeptets();
  return septets.get(codeUnit);
}

export function isGsm7(character: string): boolean {
  return (
    character.length === 1 && septetOf(character.charCodeAt(0)) !== undefined
  );
}

function buildSeptets(): Map<number, number> {
  const map = new Map<number, number>();
  for (let septet = 0; septet < BASIC.length; septet++) {
    if (septet !== ESCAPE) map.set(BASIC.charCodeAt(septet), septet);
  }
  for (const [septet, character] of EXTENSION) {
    map.set(character.charCodeAt(0), septet + 128);
  }
  return map;
}

// Ranges above U+0300 where every character is its own NFC form and joins with
// no other. Whatever is missing here is only slower, not wrong: it is handed
// to the engine's own normalisation.
const STABLE: readonly (readonly [number, number])[] = [
  [0x0370, 0x0373],
  [0x0388, 0x03ff],
  [0x0400, 0x0482],
  [0x048a, 0x052f],
  [0x0531, 0x058f],
  [0x05be, 0x05be],
  [0x05d0, 0x05f4],
  [0x0620, 0x064a],
  [0x0660, 0x066f],
  [0x0671, 0x06d3],
  [0x06f0, 0x06ff],
  [0x0e01, 0x0e30],
  [0x0e40, 0x0e46],
  [0x10a0, 0x10ff],
  [0x1e00, 0x1eff],
  [0x2002, 0x2027],
  [0x202f, 0x205e],
  [0x2070, 0x209c],
  [0x20a0, 0x20c0],
  [0x2100, 0x2125],
  [0x2127, 0x2129],
  [0x212c, 0x214f],
  [0x2150, 0x218b],
  [0x2190, 0x2328],
  [0x232b, 0x2426],
  [0x2460, 0x2adb],
  [0x2add, 0x2bff],
  [0x3000, 0x3029],
  [0x3030, 0x3096],
  [0x309d, 0x30ff],
  [0x3105, 0x312f],
  [0x3200, 0x9fff],
  [0xac00, 0xd7a3],
  [0xff01, 0xffee],
];

function buildClasses(): Uint8Array {
  const table = new Uint8Array(0x10000).fill(CLASS_OTHER);
  table.fill(CLASS_OTHER | CLASS_COMPOSES, 0x300);
  for (const [first, last] of STABLE) {
    table.fill(CLASS_OTHER, first, last + 1);
  }
  table.fill(CLASS_OTHER | CLASS_COMPOSES | CLASS_SURROGATE, 0xd800, 0xe000);
  // Planes of emoji: high surrogates D83C to D83E lead to U+1F000–U+1FBFF,
  // where nothing composes, and low surrogates follow their high one.
  table.fill(CLASS_OTHER | CLASS_SURROGATE, 0xd83c, 0xd83f);
  table.fill(CLASS_OTHER | CLASS_SURROGATE, 0xdc00, 0xe000);
  for (let septet = 0; septet < BASIC.length; septet++) {
    table[BASIC.charCodeAt(septet)] = CLASS_BASIC;
  }
  for (const character of EXTENSION.values()) {
    table[character.charCodeAt(0)] = CLASS_EXTENSION;
  }
  table[ESCAPE] = CLASS_ESCAPE;
  table[0x0d] = CLASS_BASIC | CLASS_RETURN;
  return table;
}
