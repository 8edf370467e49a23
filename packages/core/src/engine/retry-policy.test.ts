import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  defaultRetryPolicy,
  retryDelay,
  smnRetryPolicy,
} from "./retry-policy.ts";

test("SMN's policy makes six more attempts after the first", () => {
  const delays = [1, 2, 3, 4, 5, 6, 7].map((attempts) =>
    retryDelay(smnRetryPolicy, attempts, () => 0),
  );
  assert.equal(delays.filter((delay) => delay !== undefined).length, 6);
  assert.equal(delays[6], undefined);
});

for (const [policy, least, most] of [
  [smnRetryPolicy, "18 min 5 s", "21 min 42 s"],
  [defaultRetryPolicy, "44 h 43 min", "53 h 39 min"],
] as const) {
  test(`the attempts of the profile ${policy.name} take ${least} to ${most}`, () => {
    const takes = (random: number) => {
      const seconds =
        policy.delaysMs.reduce(
          (sum, _, i) => sum + (retryDelay(policy, i + 1, () => random) ?? 0),
          0,
        ) / 1000;
      const minutes = Math.round(seconds / 60);
      return seconds < 3600
        ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
        : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
    };
    assert.deepEqual([takes(0), takes(1)], [least, most]);
  });
}

test("jitter only ever adds, up to its share", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: defaultRetryPolicy.delaysMs.length }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempts, random) => {
        const base = defaultRetryPolicy.delaysMs[attempts - 1] ?? 0;
        const delay = retryDelay(defaultRetryPolicy, attempts, () => random);
        assert.ok(delay !== undefined && delay >= base);
        assert.ok(delay <= Math.round(base * 1.2));
      },
    ),
  );
});

test("Retry-After counts for as long as the policy has it", () => {
  const wish = Number.MAX_SAFE_INTEGER;
  assert.equal(
    retryDelay(defaultRetryPolicy, 1, () => 0, wish),
    86_400_000,
  );
  const policy = { ...defaultRetryPolicy, maxRetryAfterMs: 60_000 };
  assert.equal(
    retryDelay(policy, 1, () => 0, wish),
    60_000,
  );
  assert.equal(
    retryDelay(policy, 2, () => 0, 59_999),
    59_999,
  );
  // The schedule itself is not cut.
  assert.equal(
    retryDelay(policy, 3, () => 0, wish),
    120_000,
  );
});

test("Retry-After is a floor, never a shorter wait", () => {
  assert.equal(
    retryDelay(defaultRetryPolicy, 1, () => 0, 60_000),
    60_000,
  );
  assert.equal(
    retryDelay(defaultRetryPolicy, 2, () => 0, 1000),
    30_000,
  );
});
