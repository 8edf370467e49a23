import assert from "node:assert/strict";
import { test } from "node:test";
import { checkEndpoint, checkProtocol, type Protocol } from "./protocol.ts";

const good: readonly [Protocol, string][] = [
  ["http", "http://example.test/hook?x=1"],
  ["http", "http://192.0.2.1:8080/"],
  ["http", "http://[2001:db8::1]/"],
  ["https", "https://example.test"],
  ["email", "oncall@example.test"],
  ["email", "o'neil+tag@mail.example.co"],
  ["sms", "+491700000000"],
  ["sms", "+15550100001"],
];

const bad: readonly [Protocol, unknown][] = [
  ["http", "https://example.test"],
  ["http", "HTTP//example.test"],
  ["http", "http://"],
  ["http", "http://user:secret@example.test/"],
  ["http", "http://exa mple.test/"],
  ["http", "http://example.test\\@evil.test/"],
  ["http", `http://example.test/${"x".repeat(2048)}`],
  ["https", "http://plain.example.test"],
  ["https", 7],
  ["https", undefined],
  ["email", "nope"],
  ["email", "a@b@c"],
  ["email", ".a@example.test"],
  ["email", "a..b@example.test"],
  ["email", "a@-example.test"],
  ["email", "a@example.test\r\nBcc: x@example.test"],
  ["email", "Name <a@example.test>"],
  ["email", "a@example.test, b@example.test"],
  ["sms", "abc"],
  ["sms", "491700000000"],
  ["sms", "+0491700000"],
  ["sms", "+49 170 0000000"],
  ["sms", "+1234567890123456"],
  ["sms", null],
];

for (const [protocol, endpoint] of good) {
  test(`${endpoint} is a good ${protocol} endpoint`, () => {
    assert.equal(checkEndpoint(protocol, endpoint), endpoint);
  });
}

for (const [protocol, endpoint] of bad) {
  test(`${JSON.stringify(endpoint)?.slice(0, 60)} is refused for ${protocol}`, () => {
    assert.throws(() => checkEndpoint(protocol, endpoint), {
      code: "ENDPOINT_INVALID",
    });
  });
}

test("unknown protocols are refused with the known ones named", () => {
  for (const protocol of ["pigeon", "", "HTTP", 7, null, undefined]) {
    assert.throws(() => checkProtocol(protocol), {
      code: "PROTOCOL_INVALID",
      message: /http, https, email, sms/,
    });
  }
});
