import assert from "node:assert/strict";
import { test } from "node:test";
import { maskEndpoint, maskSecrets, maskUrl } from "./mask-endpoint.ts";

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

for (const [protocol, endpoint, inLogs, inRecords] of [
  [
    "http",
    "http://u:p@a.test/x?y",
    "http://a.test/***",
    "http://***@a.test/x?***",
  ],
  [
    "https",
    "https://a.test:1/x?y",
    "https://a.test:1/***",
    "https://a.test:1/x?***",
  ],
  ["email", "ann@example.test", "a***@example.test", "ann@example.test"],
  ["sms", "+491700000000", "+49***000", "+491700000000"],
] as const) {
  test(`an endpoint of ${protocol} is masked in logs, its secrets in records`, () => {
    assert.equal(maskEndpoint(protocol, endpoint), inLogs);
    assert.equal(maskSecrets(protocol, endpoint), inRecords);
  });
}
