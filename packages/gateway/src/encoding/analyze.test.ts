import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { RequestError } from "../errors.ts";
import { type AnalyzeOptions, analyze } from "./analyze.ts";
import { CLASS_COMPOSES, codeUnitClasses } from "./gsm7-alphabet.ts";
import { normalizeText } from "./normalize.ts";

const a = (count: number) => "a".repeat(count);
const euro = (count: number) => "€".repeat(count);
const yo = (count: number) => "ё".repeat(count);

type Row = readonly [
  number: number,
  text: string,
  encoding: "gsm7" | "ucs2",
  units: number,
  segments: number,
  limit: number,
  parts?: readonly number[] | undefined,
  options?: AnalyzeOptions,
];

// biome-ignore format: a table
const TABLE: readonly Row[] = [
  [1, "", "gsm7", 0, 1, 160],
  [2, "hello", "gsm7", 5, 1, 160],
  [3, a(160), "gsm7", 160, 1, 160],
  [4, a(161), "gsm7", 161, 2, 153, [153, 8]],
  [5, a(306), "gsm7", 306, 2, 153, [153, 153]],
  [6, a(307), "gsm7", 307, 3, 153, [153, 153, 1]],
  [7, a(459), "gsm7", 459, 3, 153, [153, 153, 153]],
  [8, a(460), "gsm7", 460, 4, 153, [153, 153, 153, 1]],
  [9, a(1530), "gsm7", 1530, 10, 153, Array(10).fill(153)],
  [10, a(1531), "gsm7", 1531, 11, 153, [...Array(10).fill(153), 1]],
  [11, "€", "gsm7", 2, 1, 160],
  [12, euro(80), "gsm7", 160, 1, 160],
  [13, euro(81), "gsm7", 162, 2, 153, [152, 10]],
  [14, `${a(159)}€`, "gsm7", 161, 2, 153, [153, 8]],
  [15, `${a(158)}€`, "gsm7", 160, 1, 160],
  [16, `${a(152)}€${a(10)}`, "gsm7", 164, 2, 153, [152, 12]],
  [17, `${a(151)}€${a(10)}`, "gsm7", 163, 2, 153, [153, 10]],
  [18, euro(153), "gsm7", 306, 3, 153, [152, 152, 2]],
  [19, "[x]{y}~^\\|", "gsm7", 18, 1, 160],
  [20, "@£$¥", "gsm7", 4, 1, 160],
  [21, "àèéìòù ÄÖÑÜ äöñü ÅÆØ åæø ß", "gsm7", 26, 1, 160],
  [22, "ΔΦΓΛΩΠΨΣΘΞ", "gsm7", 10, 1, 160],
  [23, "Αθήνα", "ucs2", 5, 1, 70],
  [24, "Çç", "ucs2", 2, 1, 70],
  [25, "á", "ucs2", 1, 1, 70],
  [26, "Příliš", "ucs2", 6, 1, 70],
  [27, "Prilis", "gsm7", 6, 1, 160],
  [28, yo(70), "ucs2", 70, 1, 70],
  [29, yo(71), "ucs2", 71, 2, 67, [67, 4]],
  [30, yo(134), "ucs2", 134, 2, 67, [67, 67]],
  [31, yo(135), "ucs2", 135, 3, 67, [67, 67, 1]],
  [32, "😀", "ucs2", 2, 1, 70],
  [33, "😀".repeat(35), "ucs2", 70, 1, 70],
  [34, "😀".repeat(36), "ucs2", 72, 2, 67, [66, 6]],
  [35, `${yo(66)}😀${yo(10)}`, "ucs2", 78, 2, 67, [66, 12]],
  [36, `${yo(65)}😀${yo(10)}`, "ucs2", 77, 2, 67, [67, 10]],
  [37, `${a(70)}ё`, "ucs2", 71, 2, 67, [67, 4]],
  [38, `${a(69)}ё`, "ucs2", 70, 1, 70],
  [39, "“quoted”", "ucs2", 8, 1, 70],
  [40, "it’s", "ucs2", 4, 1, 70],
  [41, "wait…", "ucs2", 5, 1, 70],
  [42, "–", "ucs2", 1, 1, 70],
  [43, "a\nb", "gsm7", 3, 1, 160],
  [44, "a\tb", "ucs2", 3, 1, 70],
  [45, "`", "ucs2", 1, 1, 70],
  [46, "a\u00a0b", "ucs2", 3, 1, 70],
  [47, "你好", "ucs2", 2, 1, 70],
  [48, "e\u0301", "ucs2", 2, 1, 70, undefined, { normalize: "none" }],
  [49, "\u00e9", "gsm7", 1, 1, 160],
  [50, "\u{1F468}\u200d\u{1F469}\u200d\u{1F467}", "ucs2", 8, 1, 70],
  [51, "şğ", "ucs2", 2, 1, 70],
  [52, "\f", "gsm7", 2, 1, 160],
  [53, "e\u0301", "gsm7", 1, 1, 160],
];

describe("the reference table", () => {
  for (const [
    number,
    text,
    encoding,
    units,
    segments,
    limit,
    parts,
    options,
  ] of TABLE) {
    test(`row ${number}`, () => {
      const analysis = analyze(text, options);
      assert.equal(analysis.encoding, encoding);
      assert.equal(analysis.units, units);
      assert.equal(analysis.segments, segments);
      assert.equal(analysis.perSegment, limit);
      const lengths = analysis.parts.map((part) => unitsOf(part, encoding));
      assert.deepEqual(lengths, parts ?? [units]);
      assert.equal(analysis.remainingInLast, limit - (lengths.at(-1) ?? 0));
    });
  }
});

// Counts the slow way, from the standard's list of escaped characters.
function unitsOf(text: string, encoding: "gsm7" | "ucs2"): number {
  if (encoding === "ucs2") return text.length;
  return text.length + (text.match(/[\f^{}\\[~\]|€]/g)?.length ?? 0);
}

test("16-bit references leave one unit less per part", () => {
  assert.deepEqual(
    analyze(a(305), { referenceBits: 16 }).parts.map((p) => p.length),
    [152, 152, 1],
  );
  assert.deepEqual(
    analyze(yo(133), { referenceBits: 16 }).parts.map((p) => p.length),
    [66, 66, 1],
  );
});

test("forced GSM-7 names what it cannot send", () => {
  assert.throws(
    () => analyze("Příliš €", { encoding: "gsm7" }),
    (error) => {
      assert.ok(error instanceof RequestError);
      assert.equal(error.code, "NOT_ENCODABLE");
      assert.match(error.message, /"ř", "í", "š"$/);
      return true;
    },
  );
  const options = { encoding: "gsm7", transliterate: true } as const;
  assert.equal(analyze("Příliš €", options).text, "Prilis €");
});

test("forced UCS-2 counts code units of plain text", () => {
  const analysis = analyze(a(71), { encoding: "ucs2" });
  assert.deepEqual([analysis.encoding, analysis.segments], ["ucs2", 2]);
});

test("lists the characters that forced UCS-2, each once", () => {
  assert.deepEqual(analyze("řeřicha 😀 😀 é").unsupported, ["ř", "😀"]);
  assert.deepEqual(analyze("plain").unsupported, []);
});

test("drops escape characters, which are not text", () => {
  const analysis = analyze("a\u001be");
  assert.deepEqual([analysis.text, analysis.encoding], ["ae", "gsm7"]);
});

test("CRLF is two characters by default", () => {
  assert.equal(analyze("a\r\nb").units, 4);
  assert.equal(analyze("a\r\nb\rc", { newlines: "lf" }).text, "a\nb\nc");
});

test("keeps whole graphemes together when asked", () => {
  const family = "\u{1F468}\u200d\u{1F469}\u200d\u{1F467}";
  const text = yo(62) + family + yo(10);
  assert.notEqual(analyze(text).parts[0]?.length, 62);
  const kept = analyze(text, { keepGraphemes: true });
  assert.deepEqual(
    kept.parts.map((part) => part.length),
    [62, 18],
  );
  assert.equal(kept.segments, 2);
  assert.equal(kept.remainingInLast, 67 - 18);
});

test("a grapheme longer than a part is divided after all", () => {
  const text = `x${"\u0301".repeat(200)}`;
  const options = { keepGraphemes: true, normalize: "none" } as const;
  const analysis = analyze(text, options);
  assert.equal(analysis.parts.join(""), text);
  assert.ok(analysis.parts.every((part) => part.length <= 67));
});

test("serialises with its parts", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(analyze("hé"))), {
    encoding: "gsm7",
    units: 2,
    segments: 1,
    perSegment: 160,
    remainingInLast: 158,
    unsupported: [],
    parts: ["hé"],
  });
});

test("normalisation is skipped only where it would change nothing", () => {
  const classes = codeUnitClasses();
  for (let unit = 0; unit < 0x10000; unit++) {
    if (((classes[unit] ?? 0) & CLASS_COMPOSES) !== 0) continue;
    if (unit >= 0xd800 && unit < 0xe000) continue;
    const character = String.fromCharCode(unit);
    const hex = unit.toString(16);
    assert.equal(character.normalize("NFC"), character, hex);
    if (unit < 0x300) continue;
    // Nothing before it may take it in: marks and Hangul vowels do that.
    assert.doesNotMatch(character, /\p{M}|[\u1161-\u1175\u11a8-\u11c2]/u, hex);
  }
});

const ALPHABET =
  "abcABC019 .,@£€[]{}~^\\|\f\n\ršéçßΔΩαё你🇨🇿👩\u200d😀\u0301\u030a\u1100\u1161\u11a8\ufeff\ud800\udc00";
const anyText = fc.oneof(
  fc
    .array(fc.constantFrom(...ALPHABET), { maxLength: 700 })
    .map((list) => list.join("")),
  fc
    .array(fc.constantFrom(..."abc€[]|~ é"), { maxLength: 700 })
    .map((list) => list.join("")),
  fc.string({ unit: "binary", maxLength: 300 }),
);
const anyOptions: fc.Arbitrary<AnalyzeOptions> = fc.record({
  normalize: fc.constantFrom("nfc", "none"),
  newlines: fc.constantFrom("keep", "lf"),
  encoding: fc.constantFrom("auto", "ucs2"),
  referenceBits: fc.constantFrom(8, 16),
  keepGraphemes: fc.boolean(),
});

test("property: parts join to the normalised text", () => {
  fc.assert(
    fc.property(anyText, anyOptions, (text, options) => {
      const analysis = analyze(text, options);
      const expected = normalizeText(text, options);
      assert.equal(analysis.text, expected);
      assert.equal(analysis.parts.join(""), expected);
      assert.equal(analysis.parts.length, analysis.segments);
    }),
    { numRuns: 500 },
  );
});

test("property: no part exceeds its limit, and units add up", () => {
  fc.assert(
    fc.property(anyText, anyOptions, (text, options) => {
      const analysis = analyze(text, options);
      const { encoding, perSegment } = analysis;
      const units = analysis.parts.map((part) => unitsOf(part, encoding));
      for (const count of units) assert.ok(count <= perSegment);
      assert.equal(
        units.reduce((x, y) => x + y, 0),
        analysis.units,
      );
      assert.equal(perSegment - (units.at(-1) ?? 0), analysis.remainingInLast);
    }),
    { numRuns: 500 },
  );
});

test("property: no part begins or ends inside a surrogate pair", () => {
  fc.assert(
    fc.property(anyText, anyOptions, (text, options) => {
      const { parts } = analyze(text, options);
      for (const [index, part] of parts.entries()) {
        const next = parts[index + 1];
        if (next === undefined) continue;
        assert.doesNotMatch(
          (part.at(-1) ?? "") + (next[0] ?? ""),
          /^[\ud800-\udbff][\udc00-\udfff]$/,
        );
      }
    }),
    { numRuns: 500 },
  );
});

test("property: a part is left short only when the next character is wide", () => {
  fc.assert(
    fc.property(anyText, anyOptions, (text, options) => {
      fc.pre(!options.keepGraphemes);
      const { parts, encoding, perSegment } = analyze(text, options);
      for (const part of parts.slice(0, -1)) {
        assert.ok(unitsOf(part, encoding) >= perSegment - 1);
      }
    }),
  );
});
