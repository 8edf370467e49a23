import assert from "node:assert/strict";
import { test } from "node:test";
import { prepareText } from "./text-limits.ts";

test("refuses an empty text unless it is allowed", () => {
  assert.throws(() => prepareText(""), { code: "EMPTY_TEXT" });
  assert.equal(prepareText("", { allowEmpty: true }).segments, 1);
});

test("refuses more segments than allowed", () => {
  assert.equal(prepareText("a".repeat(1530)).segments, 10);
  assert.throws(() => prepareText("a".repeat(1531)), {
    code: "TOO_MANY_SEGMENTS",
    message: "The text takes 11 segments, at most 10 are allowed",
  });
  assert.equal(prepareText("a".repeat(1531), { maxSegments: 11 }).segments, 11);
});

test("no limit goes past what the format can number", () => {
  const text = "a".repeat(255 * 153 + 1);
  assert.throws(() => prepareText(text, { maxSegments: 1000 }), /at most 255/);
});

test("limits count what is left after transliteration", () => {
  const text = "š".repeat(160);
  assert.throws(() => prepareText(text, { maxSegments: 1 }));
  const limits = { maxSegments: 1, transliterate: true };
  assert.equal(prepareText(text, limits).text, "s".repeat(160));
});

test("without limits a text is only written as it is sent", () => {
  assert.equal(prepareText("", null).text, "");
  assert.equal(prepareText("e\u0301".repeat(1531), null).segments, 11);
  assert.equal(prepareText("e\u0301", null).text, "é");
  assert.throws(() => prepareText("\0", null), { code: "INVALID_TEXT" });
});
