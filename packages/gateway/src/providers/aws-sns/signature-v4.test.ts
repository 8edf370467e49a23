import assert from "node:assert/strict";
import { test } from "node:test";
import { signV4, type UnsignedRequest } from "./signature-v4.ts";

// Those of the "AWS Signature Version 4 Test Suite".
const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const now = Date.UTC(2015, 7, 30, 12, 36, 0);
const scope = { region: "us-east-1", service: "service", now };
const url = "https://example.amazonaws.com/";
const get = { method: "GET", url, headers: {}, body: "" };
const post = { ...get, method: "POST" };

interface Vector {
  readonly request: UnsignedRequest;
  readonly signedHeaders: string;
  readonly signature: string;
}

const vectors: Readonly<Record<string, Vector>> = {
  "get-vanilla": {
    request: get,
    signedHeaders: "host;x-amz-date",
    signature:
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
  "get-vanilla-query-order-key-case": {
    request: { ...get, url: `${url}?Param2=value2&Param1=value1` },
    signedHeaders: "host;x-amz-date",
    signature:
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  },
  "get-vanilla-utf8-query": {
    request: { ...get, url: `${url}?ሴ=bar` },
    signedHeaders: "host;x-amz-date",
    signature:
      "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
  },
  "get-header-value-trim": {
    request: {
      ...get,
      headers: { "my-header1": " value1", "my-header2": ' "a   b   c"' },
    },
    signedHeaders: "host;my-header1;my-header2;x-amz-date",
    signature:
      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  },
  "post-vanilla": {
    request: post,
    signedHeaders: "host;x-amz-date",
    signature:
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  },
  "post-header-value-case": {
    request: { ...post, headers: { "my-header1": "VALUE1" } },
    signedHeaders: "host;my-header1;x-amz-date",
    signature:
      "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
  },
  "post-x-www-form-urlencoded": {
    request: {
      ...post,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Param1=value1",
    },
    signedHeaders: "content-type;host;x-amz-date",
    signature:
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  },
};

for (const [name, { request, ...expected }] of Object.entries(vectors)) {
  test(`signs as the published example ${name}`, async () => {
    const headers = await signV4(request, credentials, scope);
    assert.equal(headers["x-amz-date"], "20150830T123600Z");
    assert.equal(
      headers.authorization,
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${expected.signedHeaders}, Signature=${expected.signature}`,
    );
    assert.equal("host" in headers, false);
  });
}

test("signs as the published example of a service", async () => {
  const request = {
    ...get,
    url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    },
  };
  const { authorization } = await signV4(request, credentials, {
    ...scope,
    service: "iam",
  });
  assert.match(
    authorization ?? "",
    /Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7$/,
  );
});

test("signs the token of temporary credentials, as in the published example", async () => {
  const sessionToken =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
  const headers = await signV4(post, { ...credentials, sessionToken }, scope);
  assert.equal(headers["x-amz-security-token"], sessionToken);
  assert.match(
    headers.authorization ?? "",
    /SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead$/,
  );
});
