import assert from "node:assert/strict";
import { test } from "node:test";
import { CertificateCache } from "./certificate-cache.ts";
import type { SigningCertificate } from "./signing-certificate.ts";

const certificate: SigningCertificate = {
  notBefore: 0,
  notAfter: 1,
  verify: async () => true,
};

/** A cache with a clock of its own, whose fetches are seen. */
function open(fetch: () => Promise<SigningCertificate>) {
  const state = { now: 1_000_000, urls: [] as string[] };
  const cache = new CertificateCache({
    fetch: (url) => {
      state.urls.push(url);
      return fetch();
    },
    now: () => state.now,
  });
  return Object.assign(state, { cache });
}

test("fetches a certificate once a day", async () => {
  const world = open(async () => certificate);
  for (const [now, fetched] of [
    [1_000_000, 1],
    [1_000_000 + 86_399_999, 1],
    [1_000_000 + 86_400_000, 2],
    // The clock was set back.
    [1_000_000, 3],
  ] as const) {
    world.now = now;
    assert.equal(await world.cache.get("a"), certificate);
    assert.equal(world.urls.length, fetched);
  }
});

test("fetches a certificate once for all who wait for it", async () => {
  const { promise, resolve } = Promise.withResolvers<SigningCertificate>();
  const world = open(() => promise);
  const waiting = Array.from({ length: 50 }, () => world.cache.get("a"));
  resolve(certificate);
  assert.equal((await Promise.all(waiting)).length, 50);
  assert.deepEqual(world.urls, ["a"]);
});

test("forgets a failure after five seconds", async () => {
  let fails = true;
  const world = open(async () => {
    if (fails) throw new Error("No.");
    return certificate;
  });
  const [first, second] = await Promise.allSettled([
    world.cache.get("a"),
    world.cache.get("a"),
  ]);
  assert.deepEqual([first?.status, second?.status], ["rejected", "rejected"]);
  fails = false;
  world.now += 4999;
  await assert.rejects(world.cache.get("a"), /No\./);
  assert.deepEqual(world.urls, ["a"]);
  world.now += 1;
  assert.equal(await world.cache.get("a"), certificate);
  assert.deepEqual(world.urls, ["a", "a"]);
});

test("keeps the last 16, and is not made to forget one by failures", async () => {
  let fails = false;
  const world = open(async () => {
    if (fails) throw new Error("No.");
    return certificate;
  });
  for (let n = 0; n <= 16; n++) await world.cache.get(`good ${n}`);
  fails = true;
  for (let n = 0; n < 200; n++) {
    await assert.rejects(world.cache.get(`bad ${n}`));
  }
  world.urls.length = 0;
  assert.equal(await world.cache.get("good 1"), certificate);
  assert.equal(await world.cache.get("good 16"), certificate);
  assert.deepEqual(world.urls, []);
  await assert.rejects(world.cache.get("good 0"));
  // Of the failures 64 at most are kept.
  await assert.rejects(world.cache.get("bad 0"));
  assert.deepEqual(world.urls, ["good 0", "bad 0"]);
});

test("fetches eight at once, and has the others come again", async () => {
  const { promise, resolve } = Promise.withResolvers<SigningCertificate>();
  const world = open(() => promise);
  const waiting = Array.from({ length: 8 }, (_, n) => world.cache.get(`${n}`));
  await assert.rejects(world.cache.get("another"), { status: 503 });
  resolve(certificate);
  await Promise.all(waiting);
  assert.equal(await world.cache.get("another"), certificate);
});
