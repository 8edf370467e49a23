import assert from "node:assert/strict";
import { test } from "node:test";
import { toAsciiMailAddress } from "./mail-address.ts";

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
