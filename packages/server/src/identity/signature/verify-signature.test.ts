import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { CanonicalForm, SignedRequest } from "./canonical-request.ts";
import { toCanonicalRequest } from "./canonical-request.ts";
import { parseSignatureHeader } from "./signature-header.ts";
import {
  createSignatureVerifier,
  type SignatureVerifier,
  signedAt,
} from "./verify-signature.ts";

const isSignatureOf = (
  secretKey: string,
  ...signed: Parameters<SignatureVerifier>
) => createSignatureVerifier(secretKey)(...signed);

const secretKey = "SkExampleSecret000000000000000000000001";
const accessKey = "AKEXAMPLE0000000001";
const project = "0f3c5d1e2a4b46788899aabbccddeeff";
const date = "20260115T083000Z";

const plainForm: CanonicalForm = {
  decodePath: true,
  queryValues: "all",
  collapseSpaces: false,
  queryAsPayload: false,
};

interface Vector {
  readonly request: SignedRequest;
  readonly signedHeaders: readonly string[];
  readonly canonicalHash: string;
  readonly authorization: string;
}

function vector(options: {
  method: string;
  url: string;
  headers: Record<string, string>;
  signed: string;
  body?: string;
  canonicalHash: string;
  credential: string;
  signature: string;
}): Vector {
  const authorization = `${options.credential}, SignedHeaders=${options.signed}, Signature=${options.signature}`;
  return {
    request: {
      method: options.method,
      url: options.url,
      headers: { "x-sdk-date": date, ...options.headers, authorization },
      body: Buffer.from(options.body ?? ""),
    },
    signedHeaders: options.signed.split(";"),
    canonicalHash: options.canonicalHash,
    authorization,
  };
}

const plainHeaders = {
  "content-type": "application/json",
  host: "smn.example.test:8443",
  "x-project-id": project,
};
const publish = {
  method: "POST",
  url: `/v2/${project}/notifications/topics/urn:smn:eu-de:${project}:alerts/publish`,
  headers: plainHeaders,
  signed: "content-type;host;x-project-id;x-sdk-date",
  body: '{"subject":"s","message":"hello"}',
  canonicalHash:
    "111726f5a06fb3fe5378724841284984d933a2d906eacdc89db0b85d5a608ca3",
};

const vectors: Record<string, Vector> = {
  "plain dialect, POST": vector({
    ...publish,
    credential: `SDK-HMAC-SHA256 Access=${accessKey}`,
    signature:
      "3979ead12bdb89c7512fba5d8de46a18ba4746e8f02b3b328f5182d50cac2edd",
  }),
  "plain dialect, GET with a query": vector({
    method: "GET",
    url: `/v2/${project}/notifications/topics?offset=0&limit=10&fuzzy_name=a%20b`,
    headers: plainHeaders,
    signed: "content-type;host;x-project-id;x-sdk-date",
    canonicalHash:
      "c9415ede1f37a22ccc3a2b0c433c094c85b93340da9b3bce588aa77851b158c8",
    credential: `SDK-HMAC-SHA256 Access=${accessKey}`,
    signature:
      "aa548451549d01a5b67248e1d8cceb4a535e45f9b7e6c693c23937abf14518cf",
  }),
  "scoped dialect": vector({
    method: "GET",
    url: `/v2/${project}/notifications/topics?limit=100&offset=0`,
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      host: "smn.example.test:8443",
      "user-agent": "golangsdk/2.0.0",
      "x-language": "en-us",
      // Added by the client once it had signed.
      "x-project-id": project,
    },
    signed: "accept;content-type;host;user-agent;x-language;x-sdk-date",
    canonicalHash:
      "df0ce8d792e707826814d27a6b03dc2f3a71a1062dbcbbacee67fa4ca7c7cddf",
    credential: `SDK-HMAC-SHA256 Credential=${accessKey}/20260115///sdk_request`,
    signature:
      "9a758b3da90f1f61472f2f9eb59a3ba0e89b61ee47f7262412a8ed4c8a70de20",
  }),
  "derived dialect": vector({
    ...publish,
    credential: `V11-HMAC-SHA256 Credential=${accessKey}/20260115/eu-de/smn`,
    signature:
      "07f5ab26e7a156121d98039eb968c8f6e2c23881273bab2653db05d9969a42f5",
  }),
};

function verify(request: SignedRequest, secret = secretKey): boolean {
  const header = parseSignatureHeader(request.headers.authorization ?? "");
  assert.ok(header);
  return isSignatureOf(secret, header, request);
}

for (const [name, { request, signedHeaders, canonicalHash }] of Object.entries(
  vectors,
)) {
  test(`reference vector: ${name}`, () => {
    const canonical = toCanonicalRequest(request, signedHeaders, plainForm);
    assert.equal(sha256(canonical ?? ""), canonicalHash);
    assert.equal(verify(request), true);
  });

  test(`any change is noticed: ${name}`, () => {
    const other = { ...request, headers: { ...request.headers } };
    assert.equal(verify(request, `${secretKey}x`), false);
    assert.equal(verify({ ...other, method: "PUT" }), false);
    assert.equal(verify({ ...other, body: Buffer.from("{}") }), false);
    assert.equal(
      verify({ ...other, url: request.url.replace("/v2/", "/v3/") }),
      false,
    );
    assert.equal(verify({ ...other, url: `${request.url}&a=b` }), false);
    for (const signed of signedHeaders) {
      const headers = { ...request.headers, [signed]: "20260115T083001Z" };
      assert.equal(verify({ ...request, headers }), false, signed);
    }
  });
}

test("headers that were not signed may be there or change", () => {
  const { request } = vectors["scoped dialect"] ?? assert.fail();
  const headers = { ...request.headers, "x-project-id": "other", via: "proxy" };
  assert.equal(verify({ ...request, headers }), true);
});

/** Signs as clients of the plain dialect do. */
function sign(
  request: SignedRequest,
  form: CanonicalForm = plainForm,
  canonicalUrl = request.url,
): SignedRequest {
  const names = ["host", "x-sdk-date"];
  const canonical = toCanonicalRequest(
    { ...request, url: canonicalUrl },
    names,
    form,
  );
  const signature = hmac(
    secretKey,
    `SDK-HMAC-SHA256\n${date}\n${sha256(canonical ?? "")}`,
  );
  const authorization = `SDK-HMAC-SHA256 Access=${accessKey}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { ...request, headers: { ...request.headers, authorization } };
}

const bare = {
  method: "GET",
  headers: { host: "h", "x-sdk-date": date },
  body: Buffer.alloc(0),
};

test("what one URL library escapes and another does not is the same", () => {
  const signed = sign({ ...bare, url: "/a%3Ab/%27c%27?x=%28%21%29%2A&y=%7E" });
  assert.equal(verify({ ...signed, url: "/a:b/'c'?x=(!)*&y=~" }), true);
});

test("a plus in the query is a space", () => {
  const signed = sign({ ...bare, url: "/a?x=1%202" });
  assert.equal(verify({ ...signed, url: "/a?x=1+2" }), true);
});

test("escapes in a path may have been signed as text", () => {
  const request = { ...bare, url: "/tags/a%20b" };
  const signed = sign(request, { ...plainForm, decodePath: false });
  assert.equal(verify(signed), true);
});

test("all values of a repeated parameter are signed, sorted", () => {
  const signed = sign({ ...bare, url: "/a?k=1&k=2&j=0" });
  assert.equal(verify({ ...signed, url: "/a?k=2&j=0&k=1" }), true);
  assert.equal(verify({ ...signed, url: "/a?k=2&j=0" }), false);
});

test("a body may be left unsigned on purpose only", () => {
  const headers = {
    ...bare.headers,
    "x-sdk-content-sha256": "UNSIGNED-PAYLOAD",
  };
  const signed = sign({ ...bare, headers, method: "POST", url: "/a" });
  assert.equal(verify({ ...signed, body: Buffer.from("any") }), true);
  const { "x-sdk-content-sha256": _, ...without } = signed.headers;
  assert.equal(verify({ ...signed, headers: without }), false);
});

test("a stated hash of the body must be its hash", () => {
  const body = Buffer.from("body");
  const stated = { "x-sdk-content-sha256": sha256("body") };
  const headers = { ...bare.headers, ...stated };
  const signed = sign({ ...bare, headers, body, method: "POST", url: "/a" });
  assert.equal(verify(signed), true);
  assert.equal(verify({ ...signed, body: Buffer.from("other") }), false);
});

test("the scoped dialect signs the query of a POST without a body", () => {
  const request = {
    ...bare,
    method: "POST",
    url: "/a?b=1+2&a=%2F",
    headers: { ...bare.headers },
  };
  const scope = "20260115///sdk_request";
  const canonical = [
    "POST",
    "/a/",
    "",
    `host:h\nx-sdk-date:${date}\n`,
    "host;x-sdk-date",
    sha256("a=%2F&b=1+2"),
  ].join("\n");
  const key = scope
    .split("/")
    .reduce<string | Buffer>(
      (k, part) => createHmac("sha256", k).update(part).digest(),
      `SDK${secretKey}`,
    );
  const signature = hmac(
    key,
    `SDK-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`,
  );
  const authorization = `SDK-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=host;x-sdk-date, Signature=${signature}`;
  const signed = { ...request, headers: { ...request.headers, authorization } };
  assert.equal(verify(signed), true);
  assert.equal(verify({ ...signed, url: "/a?b=1+2&a=%2E" }), false);
});

test("the scoped dialect collapses white space in headers", () => {
  const { request, signedHeaders } = vectors["scoped dialect"] ?? assert.fail();
  const headers = { ...request.headers, "user-agent": " golangsdk/2.0.0  " };
  assert.equal(verify({ ...request, headers }), true);
  const spaced = toCanonicalRequest(
    { ...request, headers: { ...headers, accept: "a   b" } },
    signedHeaders,
    { ...plainForm, collapseSpaces: true },
  );
  assert.match(spaced ?? "", /accept:a b\n/);
});

test("whatever path and query are signed verify, and only they", () => {
  const url = fc
    .array(fc.string({ unit: "grapheme" }), { minLength: 1 })
    .chain((path) =>
      fc
        .array(fc.tuple(fc.string(), fc.string({ unit: "grapheme" })))
        .map((query) => {
          const segments = path.map((part) => encode(part)).join("/");
          const pairs = query.map(([k, v]) => `${encode(k)}=${encode(v)}`);
          return `/${segments}?${pairs.join("&")}`;
        }),
    );
  fc.assert(
    fc.property(url, fc.uint8Array(), (text, body) => {
      const signed = sign({ ...bare, method: "PUT", url: text, body });
      assert.equal(verify(signed), true);
      const more = Buffer.concat([body, Buffer.from("x")]);
      assert.equal(verify({ ...signed, body: more }), false);
      assert.equal(verify({ ...signed, url: `/x${text}` }), false);
    }),
  );
});

test("no URL, however broken, makes it throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
      assert.equal(
        verify({ ...sign({ ...bare, url: "/a" }), url: `/b${text}` }),
        false,
      );
    }),
  );
});

test("reads the date, and no other form of it", () => {
  const at = (text: string) =>
    signedAt({ ...bare, url: "/", headers: { "x-sdk-date": text } });
  assert.equal(at(date), Date.UTC(2026, 0, 15, 8, 30));
  for (const text of ["", "20261315T083000Z", "2026-01-15T08:30:00Z", "now"]) {
    assert.equal(at(text), undefined, text);
  }
});

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

test("a verifier tells scopes, dialects and keys apart", () => {
  const verify = createSignatureVerifier(secretKey);
  const scoped = vectors["scoped dialect"];
  const derived = vectors["derived dialect"];
  const plain = vectors["plain dialect, POST"];
  assert.ok(scoped && derived && plain);
  for (const { authorization, request } of [
    scoped,
    scoped,
    derived,
    plain,
    derived,
    scoped,
  ]) {
    const header = parseSignatureHeader(authorization);
    assert.ok(header && verify(header, request), authorization);
    const otherDay = { ...header, scope: header.scope.replace("15", "16") };
    assert.equal(verify(otherDay, request), header.dialect === "plain");
  }
  const header = parseSignatureHeader(derived.authorization);
  assert.ok(header);
  assert.ok(!verify({ ...header, accessKey: "OTHER" }, derived.request));
});
