import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  encodeForm,
  fitsCharset,
  parseForm,
  queryOf,
} from "./form-encoding.ts";

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

test("says what a charset lacks", () => {
  assert.ok(fitsCharset("Grüße ÿ", "iso-8859-1"));
  assert.ok(!fitsCharset("€", "iso-8859-1"));
  assert.ok(fitsCharset("€", "utf-8"));
  assert.equal(encodeForm([["a", "€"]], "iso-8859-1"), "a=%3F");
});

test("finds the query of an address", () => {
  assert.equal(queryOf("https://a/b?c=d?e#f"), "c=d?e");
  assert.equal(queryOf("/b"), "");
});
