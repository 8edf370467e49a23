import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toEpochMs } from "@carillon/core";
import { createSelfSignedCertificate } from "./certificate.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicKey = createPublicKey(privateKey);
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

test("makes a certificate of the key that the key itself signed", async () => {
  const pem = await createSelfSignedCertificate({
    privateKey,
    commonName: "Carillon eu-de",
    notBefore: toEpochMs(Date.UTC(2026, 0, 15, 8, 30, 59, 999)),
    notAfter: toEpochMs(Date.UTC(2036, 0, 15)),
  });

  const certificate = new X509Certificate(pem);
  assert.ok(certificate.verify(publicKey));
  assert.ok(certificate.checkPrivateKey(privateKey));
  assert.ok(certificate.checkIssued(certificate));
  assert.equal(certificate.ca, false);
  assert.equal(certificate.subject, "CN=Carillon eu-de");
  assert.equal(certificate.issuer, "CN=Carillon eu-de");
  assert.equal(certificate.validFrom, "Jan 15 08:30:59 2026 GMT");
  assert.equal(certificate.validTo, "Jan 15 00:00:00 2036 GMT");
  assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/);
});

test("writes years from 2050 on in the long form of time", async () => {
  const pem = await createSelfSignedCertificate({
    privateKey,
    commonName: "Carillon",
    notBefore: toEpochMs(Date.UTC(2049, 11, 31, 23, 59, 59)),
    notAfter: toEpochMs(Date.UTC(2050, 0, 1)),
  });

  const certificate = new X509Certificate(pem);
  assert.equal(certificate.validFrom, "Dec 31 23:59:59 2049 GMT");
  assert.equal(certificate.validTo, "Jan  1 00:00:00 2050 GMT");
});

test("openssl reads the certificate as an RSA one signed with SHA-256", {
  skip: hasOpenssl ? false : "needs openssl",
}, async (t) => {
  const pem = await createSelfSignedCertificate({
    privateKey,
    commonName: "Carillon eu-de",
    notBefore: toEpochMs(Date.now() - 1000),
    notAfter: toEpochMs(Date.now() + 1_000_000),
  });

  const text = execFileSync("openssl", ["x509", "-noout", "-text"], {
    input: pem,
    encoding: "utf8",
  });
  assert.match(text, /Version: 3 \(0x2\)/);
  assert.match(text, /Signature Algorithm: sha256WithRSAEncryption/);
  assert.match(text, /Public-Key: \(2048 bit\)/);
  assert.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
  const folder = await mkdtemp(join(tmpdir(), "carillon-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "certificate.pem");
  await writeFile(file, pem);
  const verified = execFileSync(
    "openssl",
    ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", file, file],
    { encoding: "utf8" },
  );
  assert.equal(verified, `${file}: OK\n`);
});
