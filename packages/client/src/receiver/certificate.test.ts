import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidCertificateError } from "../errors.ts";
import { createSender, notificationFields } from "../testing/sender.ts";
import { createSignatureCheck } from "./certificate.ts";

// Made with OpenSSL, as was the signature; the private key is not kept.
const certificate = `-----BEGIN CERTIFICATE-----
MIIDgDCCAmigAwIBAgIUcCuNuW2T+CdusNKMEtxOASwOjEAwDQYJKoZIhvcNAQEL
BQAwQTELMAkGA1UEBhMCREUxFzAVBgNVBAoMDkNhcmlsbG9uIHRlc3RzMRkwFwYD
VQQDDBBzbW4uZXhhbXBsZS50ZXN0MB4XDTI2MTEyMTA1Mjc1MVoXDTM2MTExODA1
Mjc1MVowQTELMAkGA1UEBhMCREUxFzAVBgNVBAoMDkNhcmlsbG9uIHRlc3RzMRkw
FwYDVQQDDBBzbW4uZXhhbXBsZS50ZXN0MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A
MIIBCgKCAQEAh2oG6S+aipdhNphJhgVY6QRBqDaq1pZV2F7fROm2+o8u34pDoAOx
jNAtPlyPsgzi36Ip6wKhHcNhe0I/Lk/vkxZrM5I7MbwvjEXpW4lTwYjkUFbqVUPS
w8VfOd6iRzKrearHJ5ft9uFkyIz/yjqq3zUa9drnmgjpScdOH/HlzBrvYFRyBbVz
dPO8t2ldkY5tepkbB3jyFNryDb4kGJVQdtxxHsKzBZxOLsbMRstJdZviBv6dJBXg
riJifbElZS913WYcIrCCg0iBADBqsVCw0EVkxHbGDbQVlC6qqkX59kD5tCv7YrVw
g2ighvqnWTlmlPyqqIgMM2RDvvhE6VHkhwIDAQABo3AwbjAdBgNVHQ4EFgQUq/Tg
NbZSdsg6rxz6bjiXN7jHmsUwHwYDVR0jBBgwFoAUq/TgNbZSdsg6rxz6bjiXN7jH
msUwDwYDVR0TAQH/BAUwAwEB/zAbBgNVHREEFDASghBzbW4uZXhhbXBsZS50ZXN0
MA0GCSqGSIb3DQEBCwUAA4IBAQBi3UTkNQs6lrSgr+ZY+o5S962JT1qt0/XvjfBk
8oYpDSPvA4irNkAo0IxOJWLLNPJfaEJW6nXa4MAXgmA0jGOWX9nEWrxvAmHJzzOH
MpacmK+7I94S5N2SEmt+dCLzjRV5qnP7V0zvj9MB6SN97Zl6AbVGnd/uEPY98v/N
Y4UN5TM/QFQ75fp1v1a+1XCnVSa7nLUtuCrjzAhhV7wt7KYVmi7osuK+bH9Z9wbR
J54u6Btzq+J/iQV1D+aSyNb+ViEsCgcz/FWfvN3mkIHR8iIUo/IH9r7hqpENZb5u
b9jBKmWmxXYP7om4lbbWa2o0KBw7TwzVrkVn9B8Eupc9quMB
-----END CERTIFICATE-----
`;
const signature =
  "h0H5H/joE7Fz28KKOjQNjfeVfdnoHPb1Yv4nnKCfyayS5wHhEnImaR2tiNAEsl86tUpPqUKQ0mOyNIq3alJYbSf6GRp2E82xUCe4TUS2kCYmAVgPbXQnsJ7/sg+I2uxccjXhAJsd88dPxrN0Q6BVpWm2T0SKQtlcVfaJh6hp0vkvmXqbZ5SHc9MQyvUKMo5p/WDq2pEUIXqFaJmYJmFVRl7UGmf6NRW6iZg+1aSSKhtXVoqYwwny9P5nDRPENntbjbN0iJOw54CCIgWvLl6XnoV843tGwmeQeajqZdcuRbyZKSgRj9k5sn3iJvr5xa10qRFhe74jSFvo55Hk02NOBQ==";
const signedText =
  "message\nMy text\nmessage_id\n0123456789abcdef0123456789abcdef\nsubject\ndemo\ntimestamp\n2026-01-15T08:30:00Z\ntopic_urn\nurn:smn:eu-de:0f3c5d1e2a4b46788899aabbccddeeff:alerts\ntype\nNotification\n";

const ellipticCertificate = `-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIUR8ZBDKbl3dns8bLhvphI4c87YBgwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPZWMuZXhhbXBsZS50ZXN0MB4XDTI2MTEyMTA1Mjc1MVoXDTM2
MTExODA1Mjc1MVowGjEYMBYGA1UEAwwPZWMuZXhhbXBsZS50ZXN0MFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEd+XQCYwLkqIRMbi1VVL85bsoHFi2UIhVXnrkUu7T
xRrzRr0lurCU3wz+xaK56B9BIJTZc0LyAE5rM4Ve6Qnb5qNTMFEwHQYDVR0OBBYE
FN1nyQ1Pj7qxwqLRMzO/5uy3RWNFMB8GA1UdIwQYMBaAFN1nyQ1Pj7qxwqLRMzO/
5uy3RWNFMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgcMT/WDWP
JL4pv0A+oqmzKBWfhqzdvU8wZsgp/cXaSdoCIQCQaS6VwZErFTuQy55zK3rk1dT7
xKD97TLzeWngiH2rbQ==
-----END CERTIFICATE-----
`;

const utf8 = new TextEncoder();

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----.*-----/g, ""), "base64");
}

function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----`;
}

test("checks a signature with a certificate's key", async () => {
  const check = await createSignatureCheck(certificate);
  assert.equal(await check(bytesOf(signature), utf8.encode(signedText)), true);
  const changed = signedText.replace("My text", "Your text");
  assert.equal(await check(bytesOf(signature), utf8.encode(changed)), false);
});

test("reads Windows line ends and what stands around the certificate", async () => {
  const pem = `subject=CN\r\n${certificate.replaceAll("\n", "\r\n")}# end`;
  const check = await createSignatureCheck(pem);
  assert.equal(await check(bytesOf(signature), utf8.encode(signedText)), true);
});

for (const version of [1, 3] as const) {
  test(`reads certificates of version ${version}`, async () => {
    const sender = createSender({ version });
    const fields = sender.sign(notificationFields());
    const check = await createSignatureCheck(sender.certificate);
    const other = await check(bytesOf(fields.signature ?? ""), utf8.encode(""));
    assert.equal(other, false);
  });
}

test("refuses keys that are not RSA", async () => {
  await assert.rejects(
    createSignatureCheck(ellipticCertificate),
    InvalidCertificateError,
  );
});

test("refuses what is no certificate", async () => {
  for (const pem of [
    "",
    "hello",
    "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
    "-----BEGIN CERTIFICATE-----\n$$$\n-----END CERTIFICATE-----",
    certificate.replaceAll("CERTIFICATE", "PUBLIC KEY"),
    pemOf(Buffer.of(0x30, 0x80)),
    pemOf(Buffer.of(0x30, 0x85, 1, 1, 1, 1, 1)),
    pemOf(Buffer.of(0x04, 0x00)),
    pemOf(Buffer.of(0x30, 0x00)),
  ]) {
    await assert.rejects(createSignatureCheck(pem), InvalidCertificateError);
  }
});

test("refuses certificates that are cut off anywhere", async () => {
  const der = derOf(certificate);
  for (let length = 0; length < der.length; length += 7) {
    await assert.rejects(
      createSignatureCheck(pemOf(der.subarray(0, length))),
      InvalidCertificateError,
    );
  }
});
