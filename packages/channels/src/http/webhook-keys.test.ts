import assert from "node:assert/strict";
import { createPublicKey, randomBytes, verify } from "node:crypto";
import { test } from "node:test";
import {
  addMs,
  type SignatureAlgorithm,
  type SignatureKey,
  type SubscriptionId,
  type SubscriptionSignature,
  toEpochMs,
} from "@carillon/core";
import { Webhook } from "standardwebhooks";
import { subscriptionId } from "../fixtures.test.ts";
import { type WebhookContent, WebhookKeys } from "./webhook-keys.ts";

const keys = new WebhookKeys(Buffer.alloc(32, 7));

test("npm's standardwebhooks verifies what HMAC signed", () => {
  const content = contentOf('{"message":"Grüße 👋"');
  const headers = headersOf(signedBy(1, "hmac-sha256"), content);
  const webhook = new Webhook(
    secretOf({ number: 1, algorithm: "hmac-sha256" }),
  );
  const text = content.body.toString() + content.tail;
  assert.deepEqual(webhook.verify(text, headers), JSON.parse(text));
  assert.throws(() => webhook.verify(text.replace("ü", "u"), headers));
});

test("signs by the second of the attempt", () => {
  const at = toEpochMs(Date.UTC(2026, 0, 15, 8, 30, 7, 999));
  const headers = headersOf(signedBy(1, "hmac-sha256"), contentOf("{", at));
  assert.equal(headers["webhook-timestamp"], String(at).slice(0, -3));
  const later = headersOf(
    signedBy(1, "hmac-sha256"),
    contentOf("{", addMs(at, 1)),
  );
  assert.notEqual(later["webhook-signature"], headers["webhook-signature"]);
  assert.equal(later["webhook-id"], headers["webhook-id"]);
});

test("the signature of ed25519 is over id, timestamp and body", () => {
  const content = contentOf('{"message":"Grüße 👋"');
  const headers = headersOf(signedBy(1, "ed25519"), content);
  const [version, signature] = headers["webhook-signature"]?.split(",") ?? [];
  assert.equal(version, "v1a");
  const key = keys.textOf(subscriptionId, { number: 1, algorithm: "ed25519" });
  assert.ok("publicKey" in key);
  assert.match(key.publicKey, /^whpk_[A-Za-z0-9+/]{43}=$/);
  const publicKey = createPublicKey({
    key: {
      kty: "OKP",
      crv: "Ed25519",
      x: Buffer.from(key.publicKey.slice(5), "base64").toString("base64url"),
    },
    format: "jwk",
  });
  const { "webhook-id": id, "webhook-timestamp": timestamp } = headers;
  const text = `${id}.${timestamp}.${content.body}${content.tail}`;
  const isGenuine = (said: string) =>
    verify(
      null,
      Buffer.from(said),
      publicKey,
      Buffer.from(signature ?? "", "base64"),
    );
  assert.equal(isGenuine(text), true);
  assert.equal(isGenuine(`${text} `), false);
});

test("while keys overlap both sign, the newest first", () => {
  const at = toEpochMs(Date.now());
  const signature: SubscriptionSignature = {
    scheme: "standard-webhooks",
    keys: [
      { number: 2, algorithm: "ed25519" },
      { number: 1, algorithm: "hmac-sha256", until: addMs(at, 1) },
    ],
    lastKeyNumber: 2,
  };
  const during = headersOf(signature, contentOf("{", at));
  assert.match(during["webhook-signature"] ?? "", /^v1a,\S{88} v1,\S{44}$/);
  const webhook = new Webhook(
    secretOf({ number: 1, algorithm: "hmac-sha256" }),
  );
  webhook.verify('{"a":1}', during);
  const after = headersOf(signature, contentOf("{", addMs(at, 1)));
  assert.match(after["webhook-signature"] ?? "", /^v1a,\S{88}$/);
});

test("each subscription, number, algorithm and service has keys of its own", () => {
  const other = "0".repeat(32) as SubscriptionId;
  const first: SignatureKey = { number: 1, algorithm: "hmac-sha256" };
  const texts = [
    keys.textOf(subscriptionId, first),
    keys.textOf(subscriptionId, { ...first, number: 2 }),
    keys.textOf(subscriptionId, { ...first, algorithm: "ed25519" }),
    keys.textOf(other, first),
    new WebhookKeys(randomBytes(32)).textOf(subscriptionId, first),
  ].map((text) => JSON.stringify(text));
  assert.equal(new Set(texts).size, texts.length);
  const sameService = new WebhookKeys(Buffer.alloc(32, 7));
  assert.deepEqual(
    sameService.textOf(subscriptionId, first),
    keys.textOf(subscriptionId, first),
  );
});

test("signs alike for more subscriptions than keys are kept of", () => {
  const signature = signedBy(1, "hmac-sha256");
  const content = contentOf("{");
  const sign = (n: number) =>
    keys.headerLines(n.toString(16) as SubscriptionId, signature, content);
  const first = sign(0);
  const all = new Set(Array.from({ length: 20_000 }, (_, n) => sign(n)));
  assert.equal(all.size, 20_000);
  assert.equal(sign(0), first);
});

function contentOf(body: string, at = toEpochMs(Date.now())): WebhookContent {
  return {
    messageId: "1".repeat(32),
    at,
    body: Buffer.from(body),
    tail: body === "{" ? '"a":1}' : "}",
  };
}

function signedBy(
  number: number,
  algorithm: SignatureAlgorithm,
): SubscriptionSignature {
  return {
    scheme: "standard-webhooks",
    keys: [{ number, algorithm }],
    lastKeyNumber: number,
  };
}

function headersOf(
  signature: SubscriptionSignature,
  content: WebhookContent,
): Record<string, string> {
  const lines = keys.headerLines(subscriptionId, signature, content);
  assert.ok(lines.endsWith("\r\n"));
  return Object.fromEntries(
    lines
      .trimEnd()
      .split("\r\n")
      .map((line) => line.split(": ", 2) as [string, string]),
  );
}

function secretOf(key: SignatureKey): string {
  const text = keys.textOf(subscriptionId, key);
  assert.ok("secret" in text);
  assert.match(text.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  return text.secret;
}
