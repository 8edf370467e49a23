import assert from "node:assert/strict";
import { test } from "node:test";
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
  const times = new Map<string, number>();
  const spread = () =>
    Math.max(...times.values()) / Math.min(...times.values());
  // In turns, so that what else the machine does falls on all alike; the
  // shortest times count, and a busy machine takes more turns to show them.
  for (let run = 0; run < 5 || (spread() > 1.4 && run < 40); run++) {
    for (const [name, stored, password] of [
      ["right", chosen, "right"],
      ["wrong", chosen, "wrong"],
      ["right, made up", generated, "right"],
      ["wrong, made up", generated, "wrong"],
      ["no user", undefined, "right"],
      ["unknown hash", "scrypt$1024$8$1$AA$AA", "right"],
    ] as const) {
      const started = performance.now();
      await verifyPassword(password, stored);
      const took = performance.now() - started;
      times.set(name, Math.min(took, times.get(name) ?? took));
    }
  }
  assert.ok(spread() < 1.5, JSON.stringify(Object.fromEntries(times)));
});
