import assert from "node:assert/strict";
import { test } from "node:test";
import { readExtension } from "./subscription-extension.ts";

test("an extension is read from SMN's names, unknown members dropped", () => {
  const header = { "X-Team": "ops" };
  assert.deepEqual(
    readExtension({ header, verification_code_enabled: true, more: 1 }),
    { header, verificationCodeEnabled: true },
  );
  for (const none of [undefined, null]) {
    assert.equal(readExtension(none), undefined);
  }
});

test("what is no object is refused", () => {
  for (const body of ["x", 7, true, []]) {
    assert.throws(() => readExtension(body), { code: "SUBSCRIPTION_INVALID" });
  }
});
