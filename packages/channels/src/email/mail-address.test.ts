import assert from "node:assert/strict";
import { test } from "node:test";
import {
  needsSmtpUtf8,
  problemWithMailAddress,
  toAsciiMailAddress,
} from "./mail-address.ts";

for (const [address, ascii] of [
  ["jane@bücher.example", "jane@xn--bcher-kva.example"],
  ["Jane@BÜCHER.example", "Jane@xn--bcher-kva.example"],
  // Not "ss": UTS #46 without its transitional rules, as registries have it.
  ["jane@faß.example", "jane@xn--fa-hia.example"],
  ["jane@почта.рф", "jane@xn--80a1acny.xn--p1ai"],
  ["jane@例え。テスト", "jane@xn--r8jz45g.xn--zckzah"],
  ["Jane@Example.test", "Jane@Example.test"],
  ["nobody", "nobody"],
] as const) {
  test(`${address} goes to ${ascii}`, () => {
    assert.equal(toAsciiMailAddress(address), ascii);
  });
}

for (const [address, problem] of [
  ["jane@example.com", undefined],
  ["jané@example.com", undefined],
  ["用户@例え.テスト", undefined],
  [`${"é".repeat(32)}@example.com`, undefined],
  [`${"é".repeat(33)}@example.com`, /^what stands before its @/],
  ["ja\u00a0ne@example.com", /^what stands before its @/],
  ["ja\u2028ne@example.com", /^what stands before its @/],
  ["ja\u202ene@example.com", /^what stands before its @/],
  ["\ud83d@example.com", /^what stands before its @/],
  ["jané\r\n@example.com", /^what stands before its @/],
  ["j a@example.com", /^what stands before its @/],
  ['"Jane" <jane@example.com>', /^it has a name beside it/],
  ["jane", /^it has no @/],
  [".jané@example.com", /a dot at an end/],
  ["jane@-", /no domain/],
] as const) {
  test(`${JSON.stringify(address)} is ${problem ? "refused" : "taken"}`, () => {
    const found = problemWithMailAddress(address);
    if (problem) assert.match(found ?? "", problem);
    else assert.equal(found, undefined);
  });
}

test("tells which addresses need the extension of mail servers", () => {
  assert.equal(needsSmtpUtf8("jane@bücher.example"), false);
  assert.equal(needsSmtpUtf8("jané@example.com"), true);
});
