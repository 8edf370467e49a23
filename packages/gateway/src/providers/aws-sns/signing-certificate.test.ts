import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { createCertifiedKey } from "@carillon/testing/fake-carriers/self-signed-certificate";
import { parseCertificate } from "./signing-certificate.ts";

test("reads the dates and the key of a certificate", async () => {
  for (const [start, end] of [
    ["2026-01-01T00:00:00Z", "2027-06-30T12:34:56Z"],
    ["1999-12-31T23:59:59Z", "2055-01-01T00:00:00Z"],
  ] as const) {
    const notBefore = new Date(start);
    const notAfter = new Date(end);
    const dates = { notBefore, notAfter };
    const { pem, privateKey } = await createCertifiedKey(dates);
    const certificate = await parseCertificate(`# Signs.\n${pem}`);
    assert.equal(certificate.notBefore, notBefore.getTime());
    assert.equal(certificate.notAfter, notAfter.getTime());

    for (const [hash, name] of [
      ["SHA-1", "RSA-SHA1"],
      ["SHA-256", "RSA-SHA256"],
    ] as const) {
      const made = sign(name, Buffer.from("Žluť"), privateKey);
      const other = hash === "SHA-1" ? "SHA-256" : "SHA-1";
      const verify = (text: string, signature: string, by = hash) =>
        certificate.verify(text, signature, by as typeof hash);
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

test("refuses what is no certificate of an RSA key", async () => {
  const notBefore = new Date("2026-01-01T00:00:00Z");
  const notAfter = new Date("2027-01-01T00:00:00Z");
  const { pem } = await createCertifiedKey({ notBefore, notAfter });
  const base64 = pem.replace(/-.*-\n/g, "");
  const octets = Buffer.from(base64, "base64");
  const asPem = (body: Uint8Array) =>
    `-----BEGIN CERTIFICATE-----\n${Buffer.from(body).toString("base64")}\n-----END CERTIFICATE-----`;
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ecKey = publicKey.export({ type: "spki", format: "der" });
  const wrong: Readonly<Record<string, string>> = {
    nothing: "",
    "a page": "<html></html>",
    "other base64": asPem(Buffer.from("hello")),
    "a key alone": asPem(ecKey),
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
