import assert from "node:assert/strict";
import { test } from "node:test";
import { maskUrl } from "./mask-endpoint.ts";

for (const [url, masked] of [
  ["https://a.test", "https://a.test"],
  ["https://a.test:8443/hook/1", "https://a.test:8443/hook/1"],
  ["https://user:secret@a.test/hook", "https://***@a.test/hook"],
  ["https://secret@a.test", "https://***@a.test"],
  ["https://user:se@cret@a.test/@b", "https://***@a.test/@b"],
  ["https://a.test/hook?secret=1", "https://a.test/hook?***"],
  ["https://a.test?secret@b", "https://a.test?***"],
  ["https://a.test/hook?#secret", "https://a.test/hook?***"],
  ["https://a.test/hook#secret?x", "https://a.test/hook"],
  ["//user:secret@a.test/x", "//***@a.test/x"],
  ["/login?secret", "/login?***"],
] as const) {
  test(`${url} is shown as ${masked}`, () => {
    assert.equal(maskUrl(url), masked);
  });
}
