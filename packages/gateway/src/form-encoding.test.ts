import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeForm, fitsCharset } from "./form-encoding.ts";

test("says what a charset lacks", () => {
  assert.ok(fitsCharset("Grüße ÿ", "iso-8859-1"));
  assert.ok(!fitsCharset("€", "iso-8859-1"));
  assert.ok(fitsCharset("€", "utf-8"));
  assert.equal(encodeForm([["a", "€"]], "iso-8859-1"), "a=%3F");
});
