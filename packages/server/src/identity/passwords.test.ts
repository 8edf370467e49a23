import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCost } from "@carillon/testing";
import {
  createHashLimit,
  generatedPasswordParameters,
  hashPassword,
  isPasswordHash,
  verifyPassword,
} from "./passwords.ts";

const hashes = createHashLimit();

test("takes the right password and no other", async () => {
  const stored = await hashPassword(hashes, "correct horse");
  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await verifyPassword("correct horse", stored), true);
  assert.equal(await verifyPassword("Correct horse", stored), false);
  assert.equal(await verifyPassword("", stored), false);
});

test("hashes the same password differently each time", async () => {
  const parameters = generatedPasswordParameters;
  assert.notEqual(
    await hashPassword(hashes, "same", parameters),
    await hashPassword(hashes, "same", parameters),
  );
});

test("keeps to the parameters a password was stored with", async () => {
  const stored = await hashPassword(hashes, "old", {
    memory: 256,
    passes: 3,
    parallelism: 2,
  });
  assert.match(stored, /^\$argon2id\$v=19\$m=256,t=3,p=2\$/);
  assert.equal(await verifyPassword("old", stored), true);
});

test("agrees with the reference implementation", async () => {
  // `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32`, from the
  // test vectors of phc-winner-argon2.
  const stored =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  assert.equal(await verifyPassword("password", stored), true);
});

test("takes no password where there is no user, or no hash", async () => {
  assert.equal(await verifyPassword("", undefined), false);
  for (const stored of [
    "",
    "scrypt$1024$8$1$AA$AA",
    "$argon2id$v=19$m=64,t=1,p=1$AAAA$AAAA",
    "$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA",
  ]) {
    assert.equal(isPasswordHash(stored), false);
    assert.equal(await verifyPassword("any", stored), false, stored);
  }
});

test("takes as long for whatever the reason", async () => {
  const chosen = await hashPassword(hashes, "right");
  const generated = await hashPassword(
    hashes,
    "right",
    generatedPasswordParameters,
  );
  const right = () => verifyPassword("right", chosen);
  for (const [stored, password] of [
    [chosen, "wrong"],
    [generated, "right"],
    [generated, "wrong"],
    [undefined, "right"],
    ["scrypt$1024$8$1$AA$AA", "right"],
  ] as const) {
    const other = () => verifyPassword(password, stored);
    await assertCost(other, { atMost: 1.5, timesThatOf: right });
    await assertCost(right, { atMost: 1.5, timesThatOf: other });
  }
});
