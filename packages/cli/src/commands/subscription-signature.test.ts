import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFields } from "../table.ts";
import { fieldsOf } from "./subscription-signature.ts";

const key = {
  until: undefined,
  secret: undefined,
  publicKey: undefined,
  algorithm: "hmac-sha256",
};

test("each key has a line: algorithm, until when, and its secret if shown", () => {
  const record = {
    subscription_urn: "urn:s",
    scheme: "standard-webhooks",
    keys: [
      { ...key, number: 3, secret: "whsec_abc=" },
      { ...key, number: 2, until: "2026-01-02T03:04:05.678Z" },
      { ...key, number: 1, algorithm: "ed25519", publicKey: "whpk_def=" },
    ],
  };
  const text = formatFields(record, fieldsOf(record), { colours: false });
  assert.deepEqual(text.split("\n"), [
    "subscription: urn:s",
    "scheme: standard-webhooks",
    "key 3: hmac-sha256, whsec_abc=",
    "key 2: hmac-sha256, until 2026-01-02 03:04:05 UTC, secret hidden; --reveal shows it",
    "key 1: ed25519, public key whpk_def=",
  ]);
});
