import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createSecretBox } from "./secret-box.ts";

const box = createSecretBox(new Uint8Array(32).fill(1));

test("opens what it sealed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (text, purpose) => {
      const secret = text.toWellFormed();
      assert.equal(box.open(box.seal(secret, purpose), purpose), secret);
    }),
  );
});

test("opens nothing with another key, purpose or content", () => {
  const sealed = box.seal("secret", "key:a");
  const other = createSecretBox(new Uint8Array(32).fill(2));
  assert.throws(() => other.open(sealed, "key:a"), /does not open/);
  assert.throws(() => box.open(sealed, "key:b"), /does not open/);
  const bytes = Buffer.from(sealed, "base64");
  for (let i = 0; i < bytes.length; i++) {
    const altered = Buffer.from(bytes);
    altered[i] = (altered[i] ?? 0) ^ 1;
    assert.throws(() => box.open(altered.toString("base64"), "key:a"));
  }
  assert.throws(() => box.open("", "key:a"), /does not open/);
});

test("needs a key of 32 bytes", () => {
  assert.throws(() => createSecretBox(new Uint8Array(16)), RangeError);
});
