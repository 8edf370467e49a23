import assert from "node:assert/strict";
import { sign, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createCertifiedKey } from "@carillon/testing/fake-carriers/self-signed-certificate";
import { parseCertificate } from "./signing-certificate.ts";

test("reads the dates and the key of a certificate", async () => {
  for (const [version, start, end] of [
    [3, "2026-01-01T00:00:00Z", "2027-06-30T12:34:56Z"],
    [1, "1999-12-31T23:59:59Z", "2055-01-01T00:00:00Z"],
  ] as const) {
    const notBefore = new Date(start);
    const notAfter = new Date(end);
    const { pem, privateKey } = await createCertifiedKey({
      notBefore,
      notAfter,
      version,
    });
    // Node reads it alike.
    const { validFromDate, validToDate } = new X509Certificate(pem);
    assert.deepEqual([validFromDate, validToDate], [notBefore, notAfter]);
    const certificate = await parseCertificate(`# Signs.\n${pem}`);
    assert.equal(certificate.notBefore, notBefore.getTime());
    assert.equal(certificate.notAfter, notAfter.getTime());

    for (const [hash, name] of [
      ["SHA-1", "RSA-SHA1"],
      ["SHA-256", "RSA-SHA256"],
    ] as const) {
      const made = sign(name, Buffer.from("Žluť"), privateKey);
      const other = hash === "SHA-1" ? "SHA-256" : "SHA-1";
      const verify = (text: string, signature: string) =>
        certificate.verify(text, signature, hash);
      const base64 = made.toString("base64");
      assert.equal(await verify("Žluť", base64), true);
      assert.equal(await verify("Zlut", base64), false);
      assert.equal(await certificate.verify("Žluť", base64, other), false);
      assert.equal(await verify("Žluť", ""), false);
      assert.equal(await verify("Žluť", "?"), false);
      assert.equal(await verify("Žluť", base64.slice(0, -4)), false);
    }
  }
});

/** Made by OpenSSL. */
const ofCurve =
  "MIIBbzCCARWgAwIBAgIUF6QpKJt1SVJqhcRuFVHDxxlRUSkwCgYIKoZIzj0EAwIwDDEKMA" +
  "gGA1UEAwwBeDAgFw0yNjExMjcwMDQxMTRaGA8yMTI2MTEwMzAwNDExNFowDDEKMAgGA1UE" +
  "AwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKKpOuz7PsQCAiC1NJGpvMBbeTMfdO" +
  "Avq4tjDuq2/+WKnjp60jMn3JA2+g/UQIEm1LnIUMKOcghGlqsQ3Djss0WjUzBRMB0GA1Ud" +
  "DgQWBBQsM4XHNf06U8X/NwSMZHFBsk+EkjAfBgNVHSMEGDAWgBQsM4XHNf06U8X/NwSMZH" +
  "FBsk+EkjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCOAxi8TnWAjDXU" +
  "Kowjd5jg9oQQvSCPKvCgyMYzTEzUMgIgLed/9epECs2eiLUs0qZi0dX0UtM1gzE0/9d42j" +
  "2fe0w=";

test("refuses what is no certificate of an RSA key", async () => {
  const notBefore = new Date("2026-01-01T00:00:00Z");
  const notAfter = new Date("2027-01-01T00:00:00Z");
  const { pem } = await createCertifiedKey({ notBefore, notAfter });
  const base64 = pem.replace(/-.*-\n/g, "");
  const octets = Buffer.from(base64, "base64");
  const asPem = (body: Uint8Array) =>
    `-----BEGIN CERTIFICATE-----\n${Buffer.from(body).toString("base64")}\n-----END CERTIFICATE-----`;
  const wrong: Readonly<Record<string, string>> = {
    nothing: "",
    "a page": "<html></html>",
    "other base64": asPem(Buffer.from("hello")),
    "one of an elliptic curve": asPem(Buffer.from(ofCurve, "base64")),
    "half of it": asPem(octets.subarray(0, octets.length / 2)),
    "all but its end": asPem(octets.subarray(0, -10)),
    "a length beyond its end": asPem(Buffer.of(0x30, 0x84, 0xff, 0xff, 0, 0)),
    "a length of 126 octets": asPem(Buffer.of(0x30, 0xfe, 1, 2, 3)),
    nesting: asPem(Buffer.alloc(40_000, 0x30)),
  };
  for (const [title, given] of Object.entries(wrong)) {
    await assert.rejects(parseCertificate(given), SyntaxError, title);
  }
  // Each octet changed: it may be read all the same, and nothing else is thrown.
  for (let at = 0; at < octets.length; at += 3) {
    const changed = Buffer.from(octets);
    changed[at] = (changed[at] ?? 0) ^ 0x81;
    await parseCertificate(asPem(changed)).catch((error: unknown) =>
      assert.ok(error instanceof SyntaxError, String(error)),
    );
  }
});
