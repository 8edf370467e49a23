import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeGsm7, encodeGsm7 } from "./gsm7.ts";
import { fillBitsAfter, packSeptets, unpackSeptets } from "./septets.ts";

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");

test("packs the check value", () => {
  assert.equal(hex(packSeptets(encodeGsm7("hello"))), "e8329bfd06");
  assert.equal(hex(packSeptets(new Uint8Array())), "");
});

test("packed length is seven eighths, rounded up", () => {
  assert.equal(packSeptets(new Uint8Array(160)).length, 140);
  assert.equal(packSeptets(new Uint8Array(153), 1).length, 134);
  assert.equal(packSeptets(new Uint8Array(1)).length, 1);
});

test("fill bits bring text behind a header to a septet boundary", () => {
  assert.equal(fillBitsAfter(0), 0);
  assert.equal(fillBitsAfter(6), 1);
  assert.equal(fillBitsAfter(7), 0);
  assert.equal(hex(packSeptets(Uint8Array.of(0x7f), 1)), "fe");
});

test("the count distinguishes a trailing @ from padding", () => {
  const packed = packSeptets(encodeGsm7("1234567"));
  assert.equal(decodeGsm7(unpackSeptets(packed)), "1234567@");
  assert.equal(decodeGsm7(unpackSeptets(packed, 0, 7)), "1234567");
});

test("property: what is packed unpacks to itself", () => {
  const septets = fc
    .array(fc.integer({ min: 0, max: 127 }), { maxLength: 170 })
    .map((list) => Uint8Array.from(list));
  const fill = fc.integer({ min: 0, max: 6 });
  fc.assert(
    fc.property(septets, fill, (list, fillBits) => {
      const packed = packSeptets(list, fillBits);
      assert.equal(packed.length, Math.ceil((list.length * 7 + fillBits) / 8));
      assert.deepEqual(unpackSeptets(packed, fillBits, list.length), list);
    }),
  );
});
