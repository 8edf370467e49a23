import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeXml, findElements, parseXml, textOf } from "./xml.ts";

const encoder = new TextEncoder();
const parse = (text: string) => parseXml(encoder.encode(text));

test("reads elements, attributes and text", () => {
  const root = parse(
    '<?xml version="1.0"?><!-- new -->\n<status><code uniq="a&amp;1">0</code> <code><![CDATA[<&amp;>]]>&#65;&#x42;&unknown;</code><d/></status>',
  );
  assert.equal(root.name, "status");
  const [first, second] = findElements(root, "CODE");
  assert.equal(first?.attributes.get("uniq"), "a&1");
  assert.equal(first?.text, "0");
  assert.equal(second?.text, "<&amp;>AB&unknown;");
  assert.equal(textOf(root, "d"), "");
  assert.equal(textOf(root, "e"), undefined);
});

test("what was escaped reads as it was", () => {
  const textOfXml = fc.string({ unit: "grapheme" }).map((it) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has none
    it.replace(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g, " "),
  );
  fc.assert(
    fc.property(textOfXml, (text) => {
      const it = escapeXml(text);
      const root = parse(`<a b="${it}">${it}</a>`);
      assert.equal(root.text, text);
      assert.equal(root.attributes.get("b"), text);
    }),
  );
});

test("reads the charset that is declared, outside or inside", () => {
  const latin = Buffer.from(
    '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>',
    "latin1",
  );
  assert.equal(parseXml(latin).text, "é");
  const wide = Buffer.from("<a>ž</a>", "utf16le");
  assert.equal(parseXml(wide, "text/xml; charset=UTF-16LE").text, "ž");
  assert.equal(
    parse('<?xml version="1.0" encoding="klingon"?><a>ž</a>').text,
    "ž",
  );
});

for (const [title, text] of Object.entries({
  nothing: "",
  "no document": "OK",
  "half a document": "<a><b>",
  "half a tag": "<a",
  "tags that cross": "<a><b></a></b>",
  "two roots": "<a/><b/>",
  "an entity": '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
  "a file as an entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///x">]><a/>',
  "great depth": `${"<a>".repeat(50_000)}${"</a>".repeat(50_000)}`,
  "an attribute twice": '<a b="1" b="2"/>',
  "an attribute without quotes": "<a b=1/>",
  "text around the root": "<a/>x",
  "an open comment": "<a><!-- </a>",
  "an open CDATA": "<a><![CDATA[ </a>",
  "nothing but tags' beginnings": "<".repeat(200_000),
  "a tag of blanks": `<a${" ".repeat(200_000)}`,
  "an attribute without end": `<a b="${"x".repeat(200_000)}`,
  "attributes without end": `<a${' b="1"'.repeat(40_000)}`,
  "more than 256 KiB": `<a>${"x".repeat(256 * 1024)}</a>`,
})) {
  test(`refuses ${title}`, () => {
    assert.throws(() => parse(text), SyntaxError);
  });
}
