import assert from "node:assert/strict";
import { test } from "node:test";
import { deliveryStates, protocols } from "@carillon/core";
import * as codes from "./codes.ts";

for (const [name, table] of Object.entries(codes)) {
  if (typeof table === "function") continue;
  test(`${name} gives each word a number of its own`, () => {
    const numbers = Object.values(table);
    assert.equal(new Set(numbers).size, numbers.length);
    const wordOf = codes.wordsOf<string>(table);
    for (const [word, code] of Object.entries(table)) {
      assert.equal(wordOf(code), word);
    }
    assert.throws(() => wordOf(99), /no code 99/);
  });
}

test("has a number for every state and protocol", () => {
  for (const state of deliveryStates) {
    assert.equal(codes.stateOf(codes.stateCodes[state]), state);
  }
  for (const protocol of protocols) {
    assert.equal(codes.protocolOf(codes.protocolCodes[protocol]), protocol);
  }
});
