import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isSignatureHeader, parseSignatureHeader } from "./signature-header.ts";

const signature = "0123456789abcdef".repeat(4);

test("reads each dialect", () => {
  const rest = `SignedHeaders=host;x-sdk-date, Signature=${signature}`;
  const common = { accessKey: "AK", signedHeaders: ["host", "x-sdk-date"] };
  const cases = [
    [`SDK-HMAC-SHA256 Access=AK, ${rest}`, "plain", ""],
    [
      `SDK-HMAC-SHA256 Credential=AK/20260115///sdk_request, ${rest}`,
      "scoped",
      "20260115///sdk_request",
    ],
    [
      `V11-HMAC-SHA256 Credential=AK/20260115/eu-de/smn, ${rest}`,
      "derived",
      "20260115/eu-de/smn",
    ],
  ] as const;
  for (const [header, dialect, scope] of cases) {
    assert.deepEqual(parseSignatureHeader(header), {
      dialect,
      scope,
      signature,
      ...common,
    });
  }
});

test("takes fields in any order and without spaces", () => {
  const header = `SDK-HMAC-SHA256 Signature=${signature},SignedHeaders=host,Access=AK`;
  assert.equal(parseSignatureHeader(header)?.accessKey, "AK");
});

test("refuses what is incomplete", () => {
  const headers = [
    "SDK-HMAC-SHA256 ",
    "SDK-HMAC-SHA256 Access=AK",
    `SDK-HMAC-SHA256 Access=, SignedHeaders=host, Signature=${signature}`,
    `SDK-HMAC-SHA256 Access=AK, SignedHeaders=, Signature=${signature}`,
    "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=zz",
    `SDK-HMAC-SHA256 Credential=AK/1/2/3, SignedHeaders=host, Signature=${signature}`,
    `V11-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=${signature}`,
    `Bearer ${signature}`,
  ];
  for (const header of headers) {
    assert.equal(parseSignatureHeader(header), undefined, header);
  }
});

test("never throws", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      isSignatureHeader(text);
      parseSignatureHeader(`SDK-HMAC-SHA256 ${text}`);
    }),
  );
});
