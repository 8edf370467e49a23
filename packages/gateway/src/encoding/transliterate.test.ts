import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { RequestError } from "../errors.ts";
import { analyze } from "./analyze.ts";
import { fitText, transliterate } from "./transliterate.ts";

// biome-ignore format: a table
const TABLE: readonly (readonly [text: string, ascii: string, gsm: string])[] = [
  ["Příliš žluťoučký kůň úpěl ďábelské ódy", "Prilis zlutoucky kun upel dabelske ody", "Prilis zlutoucky kun upel dabelské ody"],
  ["Straße", "Strae", "Straße"],
  ["Łódź", "odz", "Lodz"],
  ["Đakovo", "akovo", "Dakovo"],
  ["€ 5", " 5", "€ 5"],
  ["“q” – ‘r’", "q  r", "\"q\" - 'r'"],
  ["it’s…", "its...", "it's..."],
  ["½", "12", "1/2"],
  ["№5 x² a\u00a0b", "No5 x2 a b", "No5 x2 a b"],
  ["ÆØÅ", "A", "ÆØÅ"],
  ["Ελλάδα", "", "EΛΛAΔA"],
  ["Привет", "", "Привет"],
];

describe("the reference table", () => {
  for (const [text, ascii, gsm] of TABLE) {
    test(text, () => {
      assert.equal(fitText(text, "keep"), text);
      assert.equal(fitText(text, "strip-ascii"), ascii);
      assert.equal(fitText(text, "transliterate"), gsm);
    });
  }
});

const PAIRS: readonly (readonly [from: string, to: string])[] = [
  ["„«»", '"""'],
  ["‚‹›′`", "'''''"],
  ["—‑−", "---"],
  ["a\tb", "a b"],
  ["•", "*"],
  ["₂²", "22"],
  ["çłŁđðĐÐħı", "clLddDDhi"],
  ["œŒþÞ", "oeOEthTh"],
  ["ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"],
  ["ως", "ΩΣ"],
  ["a\u200bb\u200dc\ufe0f", "abc"],
  ["ok 👍🏽!", "ok !"],
  ["1️⃣ 🇨🇿", "1 "],
  ["şğŞĞİ", "sgSGI"],
  ["ﬁ", "fi"],
];

for (const [from, to] of PAIRS) {
  test(`${JSON.stringify(from)} becomes ${JSON.stringify(to)}`, () => {
    assert.equal(transliterate(from), to);
  });
}

test("text that must be UCS-2 anyway keeps all its characters", () => {
  assert.equal(transliterate("“Привет”, šok"), "“Привет”, šok");
});

test("what cannot be written is replaced or refused on demand", () => {
  assert.equal(transliterate("š你", { unmappable: "replace" }), "s?");
  assert.equal(
    transliterate("你", { unmappable: "replace", replacement: "*" }),
    "*",
  );
  assert.throws(
    () => transliterate("你", { unmappable: "fail" }),
    (error) => error instanceof RequestError && /"你"/.test(error.message),
  );
});

test("emoji can leave a mark", () => {
  assert.equal(transliterate("a😀b", { emoji: "replace" }), "a?b");
});

test("Cyrillic can be spelled in Latin", () => {
  const options = { cyrillic: true };
  assert.equal(transliterate("Привет, Щука!", options), "Privet, Shchuka!");
  assert.equal(transliterate("Київ Ёж", options), "Kiyiv Yozh");
});

test("ç can stay a cedilla", () => {
  assert.equal(transliterate("ça", { cedilla: true }), "Ça");
});

test("property: with replacement, everything fits into GSM-7", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const fitted = transliterate(text, { unmappable: "replace" });
      assert.deepEqual(analyze(fitted).unsupported, []);
    }),
  );
});
