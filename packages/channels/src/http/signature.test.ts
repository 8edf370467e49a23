import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { signText, stringToSign, verifyFields } from "./signature.ts";

const notification = {
  type: "Notification",
  topic_urn: "urn:smn:eu-de:0123456789abcdef0123456789abcdef:alerts",
  timestamp: "2026-01-15T08:30:00Z",
  message_id: "fedcba9876543210fedcba9876543210",
  message: "My text",
};

test("signs names and values in alphabetical order, each on its line", () => {
  assert.equal(
    stringToSign({ ...notification, subject: "demo" }),
    "message\nMy text\nmessage_id\nfedcba9876543210fedcba9876543210\nsubject\ndemo\ntimestamp\n2026-01-15T08:30:00Z\ntopic_urn\nurn:smn:eu-de:0123456789abcdef0123456789abcdef:alerts\ntype\nNotification\n",
  );
});

test("leaves out what is not there, and signs subscribe_url where it is", () => {
  assert.equal(
    stringToSign({
      ...notification,
      type: "SubscriptionConfirmation",
      subscribe_url: "https://example.com/confirm",
    }),
    "message\nMy text\nmessage_id\nfedcba9876543210fedcba9876543210\nsubscribe_url\nhttps://example.com/confirm\ntimestamp\n2026-01-15T08:30:00Z\ntopic_urn\nurn:smn:eu-de:0123456789abcdef0123456789abcdef:alerts\ntype\nSubscriptionConfirmation\n",
  );
});

test("a signature holds for its fields and for no others", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const publicKey = createPublicKey(privateKey);
  const fields = { ...notification, message: "Grüße 👋\r\nzwei Zeilen" };

  const signature = signText(stringToSign(fields), privateKey);

  assert.equal(Buffer.from(signature, "base64").length, 256);
  assert.ok(verifyFields(fields, signature, publicKey));
  assert.ok(
    !verifyFields({ ...fields, message: "Grüße" }, signature, publicKey),
  );
  assert.ok(!verifyFields({ ...fields, subject: "" }, signature, publicKey));
});
