import assert from "node:assert/strict";
import { test } from "node:test";
import {
  getExample,
  getSupportedRegionCodes,
  parsePhoneNumber,
} from "awesome-phonenumber";
import { createNumberTypes, numberTypeOf } from "./number-type.ts";

const typeOf = (digits: string) => numberTypeOf(`+${digits}`, parsePhoneNumber);

test("has the library's word for a number that it knows", () => {
  assert.equal(typeOf("4915112345678"), "mobile");
  assert.equal(typeOf("499001234567"), "premium-rate");
  assert.equal(typeOf("491371234567"), "shared-cost");
});

test("knows a dear number by its beginning, with digits too many or too few", () => {
  for (const digits of [
    "4990012345678",
    "49900123456",
    "4490612345678",
    "4190012345",
    "611902345",
    "439001234567890",
  ]) {
    assert.equal(typeOf(digits), "premium-rate", digits);
  }
  assert.equal(typeOf("49137123456789"), "shared-cost");
});

test("calls a number too short when its country has none of so few digits", () => {
  for (const digits of ["420777123", "1202555", "22507123456"]) {
    assert.equal(typeOf(digits), "too-short", digits);
  }
});

test("lets pass what its table may not know yet", () => {
  for (const digits of [
    // Longer than the plan: of a device, in Norway.
    "47580012345678",
    // No range, but a length that there is.
    "5511876543210",
    "4912",
    // No calling code that is in use.
    "999123456789",
  ]) {
    assert.equal(typeOf(digits), undefined, digits);
  }
});

test("numbers of a block have one kind, in every country", () => {
  const typeOf = createNumberTypes(parsePhoneNumber);
  let count = 0;
  for (const region of getSupportedRegionCodes()) {
    for (const type of ["premium-rate", "shared-cost", "mobile"] as const) {
      const e164 = exampleOf(region, type);
      if (e164 === undefined) continue;
      if (parsePhoneNumber(e164).type !== type) continue;
      for (let n = 0; n < 20; n++) {
        const last = String(Math.floor(Math.random() * 10_000));
        const other: string = e164.slice(0, -4) + last.padStart(4, "0");
        assert.equal(
          typeOf(other),
          numberTypeOf(other, parsePhoneNumber),
          other,
        );
        count++;
      }
    }
  }
  assert.ok(count > 5000, `only ${count}`);
});

/** The library throws where it has none. */
function exampleOf(
  region: string,
  type: "premium-rate" | "shared-cost" | "mobile",
): string | undefined {
  try {
    return getExample(region, type).number?.e164;
  } catch {
    return undefined;
  }
}

test("a number is read once for its block", () => {
  let reads = 0;
  const typeOf = createNumberTypes((number) => {
    reads++;
    return parsePhoneNumber(number);
  });
  for (let n = 0; n < 100; n++) {
    assert.equal(typeOf(`+4915112345${String(n).padStart(3, "0")}`), "mobile");
  }
  assert.equal(reads, 1);
});
