import assert from "node:assert/strict";
import { test } from "node:test";
import { checkExtension, checkRemark } from "./subscription.ts";

test("custom headers are kept in lower case", () => {
  assert.deepEqual(checkExtension("https", { header: { "X-Team": "ops" } }), {
    header: { "x-team": "ops" },
  });
});

test("headers that could forge or break a request are refused", () => {
  const headers: readonly unknown[] = [
    { "x-smn-topic-urn": "forged" },
    { host: "example.test" },
    { "x-a": "line\r\nx-b: 2" },
    { "x-a": "é" },
    { "x-a": 7 },
    { "x-a": "1", "X-A": "2" },
    { "x-a": "v".repeat(1024) },
    Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`x-${i}`, "v"])),
    [],
    "x-a: 1",
  ];
  for (const header of headers) {
    assert.throws(() => checkExtension("http", { header }), {
      code: "SUBSCRIPTION_INVALID",
    });
  }
  assert.throws(() => checkExtension("email", { header: { "x-a": "1" } }), {
    code: "SUBSCRIPTION_INVALID",
  });
});

test("a remark is text of at most 128 bytes", () => {
  assert.equal(checkRemark(undefined), "");
  assert.equal(checkRemark("é".repeat(64)), "é".repeat(64));
  for (const remark of ["é".repeat(65), 7, {}]) {
    assert.throws(() => checkRemark(remark), { code: "REMARK_INVALID" });
  }
});
