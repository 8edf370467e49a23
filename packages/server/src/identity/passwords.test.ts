import assert from "node:assert/strict";
import { test } from "node:test";
import {
  generatedScryptParameters,
  hashPassword,
  verifyPassword,
} from "./passwords.ts";

test("takes the right password and no other", async () => {
  const stored = await hashPassword("correct horse");
  assert.equal(await verifyPassword("correct horse", stored), true);
  assert.equal(await verifyPassword("Correct horse", stored), false);
  assert.equal(await verifyPassword("", stored), false);
});

test("hashes the same password differently each time", async () => {
  const parameters = generatedScryptParameters;
  assert.notEqual(
    await hashPassword("same", parameters),
    await hashPassword("same", parameters),
  );
});

test("keeps to the parameters a password was stored with", async () => {
  const stored = await hashPassword("old", { n: 2 ** 10, r: 4, p: 2 });
  assert.match(stored, /^scrypt\$1024\$4\$2\$/);
  assert.equal(await verifyPassword("old", stored), true);
});

test("takes no password where there is no user, or no hash", async () => {
  assert.equal(await verifyPassword("", undefined), false);
  for (const stored of ["", "scrypt$1$2", "md5$x", "scrypt$1024$8$1$AA$AA"]) {
    assert.equal(await verifyPassword("any", stored), false, stored);
  }
});
