import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeForm } from "./form-encoding.ts";
import { fieldOf, parseForm, queryOf, readRawForm } from "./form-reading.ts";

test("what was encoded reads as it was, in both charsets", () => {
  const pair = fc.tuple(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(pair), (pairs) => {
      const utf8 = pairs.map((it) => it.map((text) => text.toWellFormed()));
      assert.deepEqual(
        [...parseForm(encodeForm(utf8 as [string, string][]))],
        utf8,
      );
      const latin = pairs
        .map(([a, b]) => [toLatin(a), toLatin(b)] as const)
        .filter(([a, b]) => a !== "" || b !== "");
      const text = encodeForm(latin, "iso-8859-1");
      assert.deepEqual([...parseForm(text, "iso-8859-1")], latin);
    }),
  );
});

// The label stands for windows-1252 on the web, which differs in 0x80 to 0x9F.
function toLatin(text: string): string {
  return [...text]
    .map((it) => (/^[\x20-\x7e\xa0-\xff]$/.test(it) ? it : ""))
    .join("");
}

test("a form is read in the charset it was written in", () => {
  assert.equal(parseForm("a=Gr%FC%DFe+x", "iso-8859-1").get("a"), "Grüße x");
  assert.equal(parseForm("a=Gr%C3%BC").get("a"), "Grü");
  assert.equal(parseForm("a=%zz%2&b&=c").get("a"), "%zz%2");
  assert.equal(parseForm("a=%zz&b&=c").get("b"), "");
});

test("finds the query of an address", () => {
  assert.equal(queryOf("https://a/b?c=d?e#f"), "c=d?e");
  assert.equal(queryOf("/b"), "");
});

const cases: readonly (readonly [
  encoded: string,
  name: string,
  value: string | undefined,
  charset?: string,
])[] = [
  ["", "a", undefined],
  ["a=1&b=2", "b", "2"],
  ["a=1&a=2", "a", "1"],
  ["a&b=", "a", ""],
  ["a&b=", "b", ""],
  ["a=b=c", "a", "b=c"],
  ["a=x+y%20z%2B", "a", "x y z+"],
  ["a=%2541", "a", "%41"],
  ["a=100%&b=1", "a", "100%"],
  ["a=%4g", "a", "%4g"],
  ["moMsg%49d=7", "moMsgId", "7"],
  ["a=%C3%A9", "a", "\u00e9"],
  ["a=%e9%FF", "a", "\u00e9\u00ff", "ISO-8859-1"],
  ["a=%04%1F%00+", "a", "\u041f ", "UTF-16BE"],
  ["a=%C3%A9", "a", "\u00e9", "x-nobody-knows"],
  ["a=%C3%A9", "a", "\u00e9", ""],
];

for (const [encoded, name, value, charset] of cases) {
  test(`${name} of ${encoded || "nothing"} in ${charset || "UTF-8"}`, () => {
    assert.equal(fieldOf(readRawForm(encoded), name, charset), value);
    if (charset === "UTF-16BE") return; // There its name would be, too.
    const parsed = parseForm(encoded, charset).get(name);
    assert.equal(parsed ?? undefined, value);
  });
}

test("reads two hundred fields, and refuses more", () => {
  for (const read of [parseForm, readRawForm]) {
    assert.equal(read(`${"b&".repeat(199)}a=1`).get("a"), "1");
    assert.throws(() => read(`${"b&".repeat(200)}a=1`), {
      name: "MalformedRequestError",
    });
  }
});

test("a mark at the beginning of a value belongs to it in UTF-8", () => {
  assert.equal(parseForm("a=%EF%BB%BFx").get("a"), "\ufeffx");
  const wide = readRawForm("a=%FE%FF%04%1F");
  assert.equal(fieldOf(wide, "a", "UTF-16BE"), "\u041f");
});
