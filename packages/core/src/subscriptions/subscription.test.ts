import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRemark } from "./subscription.ts";

test("a remark is text of at most 128 bytes", () => {
  assert.equal(checkRemark(undefined), "");
  assert.equal(checkRemark("é".repeat(64)), "é".repeat(64));
  for (const remark of ["é".repeat(65), 7, {}]) {
    assert.throws(() => checkRemark(remark), { code: "REMARK_INVALID" });
  }
});
