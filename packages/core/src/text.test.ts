import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  checkStorable,
  fitsUtf8,
  isStorable,
  toStorable,
  utf8Length,
} from "./text.ts";

const anyText = fc.string({ unit: "binary", maxLength: 50 });

test("the UTF-8 length is that of the encoder", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(utf8Length(text), new TextEncoder().encode(text).length);
    }),
  );
});

test("lone surrogates count as the replacement character they become", () => {
  for (const text of ["\ud800", "a\udc00b", "\ud800\ud800", "\ud83d\ude00"]) {
    assert.equal(utf8Length(text), new TextEncoder().encode(text).length);
  }
});

test("a limit in bytes is met exactly", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const bytes = new TextEncoder().encode(text).length;
      assert.equal(fitsUtf8(text, bytes), true);
      if (bytes > 0) assert.equal(fitsUtf8(text, bytes - 1), false);
    }),
  );
});

test("a text with U+0000 is refused with the field's code", () => {
  assert.equal(checkStorable("a\nb", "REMARK_INVALID", "remark"), "a\nb");
  assert.throws(() => checkStorable("a\0b", "REMARK_INVALID", "remark"), {
    code: "REMARK_INVALID",
    message: "Invalid remark: it may not contain the character U+0000.",
  });
});

test("what is made storable is, and stays as it was where it could", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const kept = toStorable(text);
      assert.ok(isStorable(kept) && kept.isWellFormed());
      assert.equal(kept.length, text.length);
      if (isStorable(text) && text.isWellFormed()) assert.equal(kept, text);
    }),
  );
});
