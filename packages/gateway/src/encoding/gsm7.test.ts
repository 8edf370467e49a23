import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeGsm7, encodeGsm7 } from "./gsm7.ts";

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");
const ALL =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡" +
  "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà" +
  "\f^{}\\[~]|€";

test("encodes the check values", () => {
  assert.equal(hex(encodeGsm7("hello")), "68656c6c6f");
  assert.equal(hex(encodeGsm7("@")), "00");
  assert.equal(hex(encodeGsm7("€")), "1b65");
  assert.equal(hex(encodeGsm7("[")), "1b3c");
  assert.equal(hex(encodeGsm7("Ç")), "09");
  assert.equal(hex(encodeGsm7("à")), "7f");
});

test("the alphabet has 127 characters and 10 more, all of them two-way", () => {
  assert.equal([...ALL].length, 137);
  assert.equal(new Set(ALL).size, 137);
  assert.equal(decodeGsm7(encodeGsm7(ALL)), ALL);
});

test("refuses the rest by name", () => {
  assert.throws(() => encodeGsm7("çé`\u001b"), /"ç", "`", "\\u001b"$/);
});

test("reads undefined escapes as phones do", () => {
  assert.equal(decodeGsm7(Uint8Array.of(0x1b, 0x41)), "A");
  assert.equal(decodeGsm7(Uint8Array.of(0x1b, 0x1b, 0x41)), " A");
  assert.equal(decodeGsm7(Uint8Array.of(0x41, 0x1b)), "A ");
  assert.equal(decodeGsm7(Uint8Array.of(0x80)), "\ufffd");
});

test("property: what is encoded decodes to itself", () => {
  const text = fc
    .array(fc.constantFrom(...ALL))
    .map((characters) => characters.join(""));
  fc.assert(
    fc.property(text, (t) => assert.equal(decodeGsm7(encodeGsm7(t)), t)),
  );
});
