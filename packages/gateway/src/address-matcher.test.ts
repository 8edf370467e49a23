import assert from "node:assert/strict";
import { test } from "node:test";
import { createAddressMatcher } from "./address-matcher.ts";
import { ConfigurationError } from "./errors.ts";

// biome-ignore format: a table
const CASES: readonly (readonly [entry: string, address: string, inside: boolean])[] = [
  ["192.0.2.1", "192.0.2.1", true],
  ["192.0.2.1", "192.0.2.10", false],
  ["192.0.2.0/25", "192.0.2.127", true],
  ["192.0.2.0/25", "192.0.2.128", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["192.0.2.1", "::ffff:192.0.2.1", true],
  ["2001:db8::/32", "2001:db8:1::5", true],
  ["2001:db8::/32", "2001:db9::5", false],
  ["::1", "0:0:0:0:0:0:0:1", true],
  ["fe80::1", "fe80::1%eth0", true],
  ["::/0", "::", true],
  ["192.0.2.1", "192.0.2.999", false],
  ["192.0.2.1", "nonsense", false],
];

for (const [entry, address, inside] of CASES) {
  test(`${address} is ${inside ? "" : "not "}in ${entry}`, () => {
    assert.equal(createAddressMatcher([entry])(address), inside);
  });
}

test("an unknown address is in no list", () => {
  assert.equal(createAddressMatcher(["0.0.0.0/0", "::/0"])(undefined), false);
});

test("refuses entries that mean nothing", () => {
  for (const entry of [
    "",
    "x",
    "1.2.3",
    "1.2.3.4/33",
    "::/129",
    "1::2::3",
    "1.2.3.4/x",
    ":::",
  ]) {
    assert.throws(
      () => createAddressMatcher([entry]),
      ConfigurationError,
      entry,
    );
  }
});
