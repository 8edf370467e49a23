import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameIdentityName } from "./identity-name.ts";

test("names are the same whatever the case of their ASCII letters", () => {
  assert.ok(isSameIdentityName("Default", "dEFAULT"));
  assert.ok(isSameIdentityName("eu-de_Shop", "EU-DE_shop"));
  assert.ok(isSameIdentityName("Übung", "Übung"));
  for (const [one, other] of [
    ["a", "b"],
    ["a", "a "],
    ["Übung", "übung"],
    // The Kelvin sign, whose lower case is a plain k.
    ["\u212a", "k"],
    ["@", "`"],
  ] as const) {
    assert.ok(!isSameIdentityName(one, other), one);
  }
});
