import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeUcs2, encodeUcs2 } from "./ucs2.ts";

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");

test("encodes the check values, high octet first", () => {
  assert.equal(hex(encodeUcs2("Ž")), "017d");
  assert.equal(hex(encodeUcs2("😀")), "d83dde00");
});

test("half a surrogate pair becomes the replacement character", () => {
  assert.equal(hex(encodeUcs2("\ud83d")), "fffd");
});

test("an odd octet at the end is ignored", () => {
  assert.equal(decodeUcs2(Uint8Array.of(0x04, 0x51, 0x04)), "ё");
});

test("property: what is encoded decodes to itself", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) =>
      assert.equal(decodeUcs2(encodeUcs2(text)), text.toWellFormed()),
    ),
  );
});
