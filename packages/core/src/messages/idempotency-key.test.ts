import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRepeated, parseIdempotencyKey } from "./idempotency-key.ts";

test("a key is bare, or a string in quotes", () => {
  for (const [value, key] of [
    [
      "8e03978e-40d5-43dd-bc93-6894a57f9324",
      "8e03978e-40d5-43dd-bc93-6894a57f9324",
    ],
    ['"8e03978e-40d5"', "8e03978e-40d5"],
    ["!#$%&'()*+-./:;<=>?@[]^_`{|}~", "!#$%&'()*+-./:;<=>?@[]^_`{|}~"],
    ['"a, b"', "a, b"],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ["x".repeat(255), "x".repeat(255)],
    [`"${"x".repeat(255)}"`, "x".repeat(255)],
  ] as const) {
    assert.equal(parseIdempotencyKey(value), key);
  }
});

test("refuses what is no key, or more than one", () => {
  for (const value of [
    "",
    " ",
    "a b",
    "a, b",
    '"a", "b"',
    '"',
    '""',
    '"a',
    'a"',
    '"a"b',
    String.raw`"a\b"`,
    "ä",
    "a\u0000",
    "a\n",
    '"a\n"',
    "x".repeat(256),
    `"${"x".repeat(256)}"`,
  ]) {
    assert.throws(
      () => parseIdempotencyKey(value),
      { code: "IDEMPOTENCY_KEY_INVALID" },
      JSON.stringify(value),
    );
  }
});

test("another request has no use of the key", () => {
  checkRepeated({ fingerprint: "a" }, { fingerprint: "a" });
  assert.throws(
    () => checkRepeated({ fingerprint: "a" }, { fingerprint: "b" }),
    { code: "IDEMPOTENCY_KEY_REUSED" },
  );
});
