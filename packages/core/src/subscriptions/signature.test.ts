import assert from "node:assert/strict";
import { test } from "node:test";
import { addMs, toEpochMs } from "../time.ts";
import {
  keysAt,
  maxOverlapSeconds,
  type RotationRequest,
  rotateSignatureKey,
  type SignatureRequest,
  type SubscriptionSignature,
  setSignature,
  smnSignature,
} from "./signature.ts";

const now = toEpochMs(Date.UTC(2026, 0, 15));
const day = 24 * 3_600_000;

/** A protocol whose messages can be signed. */
const url = { isUrl: true };

const hmac: SubscriptionSignature = {
  scheme: "standard-webhooks",
  keys: [{ number: 1, algorithm: "hmac-sha256" }],
  lastKeyNumber: 1,
};

test("a scheme with keys begins with the first, HMAC by default", () => {
  const request = { scheme: "standard-webhooks" };
  assert.deepEqual(setSignature(url, smnSignature, request), hmac);
  const ed25519 = { ...request, algorithm: "ed25519" };
  assert.deepEqual(setSignature(url, smnSignature, ed25519), {
    ...hmac,
    keys: [{ number: 1, algorithm: "ed25519" }],
  });
});

test("setting the same again makes a fresh key and ends all earlier ones", () => {
  const rotated = rotateSignatureKey(hmac, {}, now);
  for (const algorithm of [undefined, "hmac-sha256"]) {
    const request = { scheme: "standard-webhooks", algorithm };
    assert.deepEqual(setSignature(url, rotated, request), {
      scheme: "standard-webhooks",
      keys: [{ number: 3, algorithm: "hmac-sha256" }],
      lastKeyNumber: 3,
    });
  }
});

test("what is set is HMAC unless it says otherwise, whatever there was", () => {
  const scheme = "standard-webhooks";
  const was = setSignature(url, hmac, { scheme, algorithm: "ed25519" });
  assert.deepEqual(setSignature(url, was, { scheme }).keys, [
    { number: 3, algorithm: "hmac-sha256" },
  ]);
});

test("a number is never used twice, whatever scheme there was between", () => {
  const none = setSignature(url, hmac, { scheme: "none" });
  assert.deepEqual(none, { scheme: "none", keys: [], lastKeyNumber: 1 });
  const smn = setSignature(url, none, { scheme: "smn" });
  assert.deepEqual(smn, { scheme: "smn", keys: [], lastKeyNumber: 1 });
  const again = setSignature(url, smn, { scheme: "standard-webhooks" });
  assert.deepEqual(again.keys, [{ number: 2, algorithm: "hmac-sha256" }]);
});

test("setting another algorithm ends the keys there are at once", () => {
  const request = { scheme: "standard-webhooks", algorithm: "ed25519" };
  assert.deepEqual(setSignature(url, hmac, request).keys, [
    { number: 2, algorithm: "ed25519" },
  ]);
});

test("refuses what is no scheme, and other protocols", () => {
  const refused: [Parameters<typeof setSignature>[0], SignatureRequest][] = [
    [url, { scheme: undefined }],
    [url, { scheme: "SMN" }],
    [url, { scheme: "standard-webhooks", algorithm: "hmac" }],
    [url, { scheme: "standard-webhooks", algorithm: null }],
    [url, { scheme: "none", algorithm: "ed25519" }],
    [{}, { scheme: "none" }],
    [undefined, { scheme: "smn" }],
  ];
  for (const [protocol, request] of refused) {
    assert.throws(() => setSignature(protocol, smnSignature, request), {
      code: "SIGNATURE_INVALID",
    });
  }
});

test("after a rotation both keys sign for a day, newest first", () => {
  const rotated = rotateSignatureKey(hmac, {}, now);
  assert.deepEqual(rotated, {
    scheme: "standard-webhooks",
    keys: [
      { number: 2, algorithm: "hmac-sha256" },
      { number: 1, algorithm: "hmac-sha256", until: addMs(now, day) },
    ],
    lastKeyNumber: 2,
  });
  const numbersAt = (ms: number) =>
    keysAt(rotated, addMs(now, ms)).map(({ number }) => number);
  assert.deepEqual(numbersAt(day - 1), [2, 1]);
  assert.deepEqual(numbersAt(day), [2]);
});

test("a rotation may change the algorithm", () => {
  const rotated = rotateSignatureKey(hmac, { algorithm: "ed25519" }, now);
  assert.deepEqual(
    rotated.keys.map(({ algorithm }) => algorithm),
    ["ed25519", "hmac-sha256"],
  );
});

test("a later rotation prolongs no earlier key, and drops those that ended", () => {
  const first = rotateSignatureKey(hmac, { overlapSeconds: 60 }, now);
  const second = rotateSignatureKey(first, {}, addMs(now, 1000));
  assert.deepEqual(
    second.keys.map(({ until }) => until && until - now),
    [undefined, day + 1000, 60_000],
  );
  const third = rotateSignatureKey(second, {}, addMs(now, 60_000));
  assert.deepEqual(
    third.keys.map(({ number }) => number),
    [4, 3, 2],
  );
});

test("at most four keys sign at once; without overlap there is always room", () => {
  let signature = hmac;
  for (let i = 0; i < 3; i++)
    signature = rotateSignatureKey(signature, {}, now);
  assert.equal(signature.keys.length, 4);
  assert.throws(() => rotateSignatureKey(signature, {}, now), {
    code: "SIGNATURE_CONFLICT",
    message: /overlapSeconds 0/,
  });
  const { keys } = rotateSignatureKey(signature, { overlapSeconds: 0 }, now);
  assert.deepEqual(keys, [{ number: 5, algorithm: "hmac-sha256" }]);
});

test("refuses to rotate where there is no key, and overlaps out of bounds", () => {
  assert.throws(() => rotateSignatureKey(smnSignature, {}, now), {
    code: "SIGNATURE_CONFLICT",
    message: /its scheme is smn/,
  });
  const refused: RotationRequest[] = [
    { overlapSeconds: -1 },
    { overlapSeconds: 0.5 },
    { overlapSeconds: maxOverlapSeconds + 1 },
    { overlapSeconds: "60" },
    { algorithm: "rsa" },
  ];
  for (const request of refused) {
    assert.throws(() => rotateSignatureKey(hmac, request, now), {
      code: "SIGNATURE_INVALID",
    });
  }
  const longest = { overlapSeconds: maxOverlapSeconds };
  assert.equal(rotateSignatureKey(hmac, longest, now).keys.length, 2);
});
