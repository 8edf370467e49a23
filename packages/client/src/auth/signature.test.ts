import assert from "node:assert/strict";
import { test } from "node:test";
import {
  canonicalRequest,
  sha256,
  signRequest,
  toSdkDate,
} from "./signature.ts";

const accessKey = "AKEXAMPLE0000000001";
const secretKey = "SkExampleSecret000000000000000000000001";
const project = "0f3c5d1e2a4b46788899aabbccddeeff";
const origin = "https://smn.example.test:8443";
const headers = {
  "content-type": "application/json",
  host: "smn.example.test:8443",
  "x-project-id": project,
  "x-sdk-date": "20260115T083000Z",
};

const publish = {
  method: "POST",
  url: `${origin}/v2/${project}/notifications/topics/urn:smn:eu-de:${project}:alerts/publish`,
  headers,
  body: '{"subject":"s","message":"hello"}',
};

const list = {
  method: "GET",
  url: `${origin}/v2/${project}/notifications/topics?offset=0&limit=10&fuzzy_name=a%20b`,
  headers,
  body: "",
};

test("encodes the path and ends it with a slash", async () => {
  const [method, path] = (await canonicalRequest(publish)).split("\n");
  assert.equal(method, "POST");
  assert.equal(
    path,
    `/v2/${project}/notifications/topics/urn%3Asmn%3Aeu-de%3A${project}%3Aalerts/publish/`,
  );
});

test("hashes the canonical request of a POST as other SDKs do", async () => {
  assert.equal(
    await sha256(publish.body),
    "48b800890f3d2624def3bc2bf6aede795b7efe02488ceda898a85e58a4cbbc4d",
  );
  assert.equal(
    await sha256(await canonicalRequest(publish)),
    "111726f5a06fb3fe5378724841284984d933a2d906eacdc89db0b85d5a608ca3",
  );
});

test("signs a POST as other SDKs do", async () => {
  assert.equal(
    await signRequest(publish, accessKey, secretKey),
    "SDK-HMAC-SHA256 Access=AKEXAMPLE0000000001, SignedHeaders=content-type;host;x-project-id;x-sdk-date, Signature=3979ead12bdb89c7512fba5d8de46a18ba4746e8f02b3b328f5182d50cac2edd",
  );
});

test("sorts and encodes the query of a GET", async () => {
  const canonical = await canonicalRequest(list);
  assert.equal(canonical.split("\n")[2], "fuzzy_name=a%20b&limit=10&offset=0");
  assert.equal(
    await sha256(canonical),
    "c9415ede1f37a22ccc3a2b0c433c094c85b93340da9b3bce588aa77851b158c8",
  );
});

test("signs a GET as other SDKs do", async () => {
  assert.match(
    await signRequest(list, accessKey, secretKey),
    /Signature=aa548451549d01a5b67248e1d8cceb4a535e45f9b7e6c693c23937abf14518cf$/,
  );
});

test("sorts parameters by name, not by name and value", async () => {
  const url = `${origin}/?a-b=1&a=2&a!=3`;
  const canonical = await canonicalRequest({ ...list, url });
  assert.equal(canonical.split("\n")[2], "a=2&a%21=3&a-b=1");
});

test("writes dates the way the header wants them", () => {
  assert.equal(
    toSdkDate(new Date("2026-01-15T08:30:00.123Z")),
    "20260115T083000Z",
  );
});

test("sorts the values of a parameter that comes several times", async () => {
  const url = `${origin}/api/v2/sms?type=user&type=order&id=b&id=7&id=%C3%A4&id=~`;
  const [, , query] = (
    await canonicalRequest({ method: "GET", url, headers, body: "" })
  ).split("\n");
  assert.equal(query, "id=7&id=b&id=~&id=%C3%A4&type=order&type=user");
});
