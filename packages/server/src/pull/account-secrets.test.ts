import assert from "node:assert/strict";
import { test } from "node:test";
import { accountSecrets } from "./account-secrets.ts";

test("a secret matches its own hash only", () => {
  const { make, hash, matches } = accountSecrets;
  const secret = make();
  assert.match(secret, /^[A-Za-z0-9]{40}$/);
  assert.notEqual(make(), secret);
  const kept = hash(secret);
  assert.match(kept, /^[0-9a-f]{64}$/);
  assert.equal(matches(secret, kept), true);
  for (const other of [make(), "", secret.slice(1), `${secret} `, kept]) {
    assert.equal(matches(other, kept), false);
  }
  // A hash that is none lets nobody in.
  for (const damaged of ["", "xyz", kept.slice(2)]) {
    assert.equal(matches(secret, damaged), false);
  }
});
