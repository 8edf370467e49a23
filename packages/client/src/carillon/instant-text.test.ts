import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidOptionsError } from "../errors.ts";
import { findInstantText, toInstantText } from "./instant-text.ts";

test("a date is written as the API has it, a text stays", () => {
  const text = "2026-12-24T08:00:00.000Z";
  assert.equal(toInstantText("since", new Date(text)), text);
  assert.equal(toInstantText("since", "2026-12-24"), "2026-12-24");
  assert.equal(findInstantText("since", undefined), undefined);
});

test("refuses what is neither", () => {
  for (const instant of [new Date(Number.NaN), 1766563200000, null]) {
    assert.throws(
      () => toInstantText("notBefore", instant as Date),
      (error) =>
        error instanceof InvalidOptionsError &&
        /Expected notBefore/.test(error.message),
    );
  }
});
