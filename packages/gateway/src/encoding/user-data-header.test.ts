import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestError } from "../errors.ts";
import {
  encodeConcatenation,
  parseConcatenation,
  splitBinary,
} from "./user-data-header.ts";

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");
const part2 = { reference: 0x2a, total: 3, part: 2, referenceBits: 8 } as const;

test("writes the check value", () => {
  assert.equal(hex(encodeConcatenation(part2)), "0500032a0302");
});

test("writes 16-bit references", () => {
  const wide = { ...part2, reference: 0x1234, referenceBits: 16 } as const;
  assert.equal(hex(encodeConcatenation(wide)), "06080412340302");
  assert.deepEqual(parseConcatenation(encodeConcatenation(wide)), wide);
});

test("refuses numbers that cannot be", () => {
  for (const wrong of [
    { part: 4 },
    { part: 0 },
    { total: 256 },
    { reference: 256 },
    { reference: -1 },
  ]) {
    const concatenation = { ...part2, ...wrong };
    assert.throws(() => encodeConcatenation(concatenation), RequestError);
  }
});

test("finds the element behind others, and nothing where there is none", () => {
  const header = Uint8Array.of(9, 0x05, 2, 1, 2, 0x00, 3, 0x2a, 3, 2);
  assert.deepEqual(parseConcatenation(header), part2);
  assert.equal(parseConcatenation(Uint8Array.of(4, 0x05, 2, 1, 2)), undefined);
  assert.equal(parseConcatenation(new Uint8Array()), undefined);
});

test("does not believe a header that is cut short or absurd", () => {
  assert.equal(parseConcatenation(Uint8Array.of(5, 0, 3, 42)), undefined);
  assert.equal(parseConcatenation(Uint8Array.of(5, 0, 3, 42, 3, 9)), undefined);
  assert.equal(parseConcatenation(Uint8Array.of(5, 0, 3, 42, 3, 0)), undefined);
});

test("cuts binary payloads at 140 octets, or 134 per part", () => {
  const sizes = (length: number, bits: 8 | 16 = 8) =>
    splitBinary(new Uint8Array(length), bits).map((part) => part.length);
  assert.deepEqual(sizes(140), [140]);
  assert.deepEqual(sizes(141), [134, 7]);
  assert.deepEqual(sizes(267, 16), [133, 133, 1]);
});
