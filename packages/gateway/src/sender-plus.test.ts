import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutPlus, withPlus } from "./sender-plus.ts";

test("numbers get and lose their plus, names and short codes have none", () => {
  for (const [plain, full] of [
    ["4477009", "+4477009"],
    ["447700900123000", "+447700900123000"],
  ] as const) {
    assert.deepEqual([withPlus(plain), withPlus(full)], [full, full]);
    assert.deepEqual([withoutPlus(plain), withoutPlus(full)], [plain, plain]);
  }
  for (const sender of ["2077", "+2077", "Acme", "", "4477009001230000"]) {
    assert.equal(withPlus(sender), sender);
    assert.equal(withoutPlus(sender), sender);
  }
});
