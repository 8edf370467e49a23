import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AttemptResult } from "../ports/channel.ts";
import { checkResult } from "./attempt-result.ts";

const right: readonly AttemptResult[] = [
  { outcome: "delivered", statusCode: 200 },
  {
    outcome: "accepted",
    parts: [{ externalId: "7" }],
    provider: "p",
    segments: 3,
  },
  { outcome: "simulated" },
  {
    outcome: "accepted",
    senderData: { prefix: "shop", sender_state: 0, ok: true, none: null },
  },
  { outcome: "rejected", errorClass: "smtp", error: "550 no such user" },
  {
    outcome: "deferred",
    errorClass: "http_status",
    error: "503",
    statusCode: 503,
    retryAfterMs: 1500,
  },
];
for (const result of right) {
  test(`takes ${JSON.stringify(result)} as it is`, () => {
    assert.deepEqual(checkResult(result), { result, defects: [] });
  });
}

for (const answer of [undefined, null, 1, "delivered", [], {}, () => {}]) {
  test(`${typeof answer} ${JSON.stringify(answer)} is no result`, () => {
    const { result, defects } = checkResult(answer);
    assert.equal(result.outcome, "unknown");
    assert.equal(defects.length, 1);
  });
}

const failure = { outcome: "deferred", errorClass: "smtp", error: "no" };
const mended: readonly [string, object, object][] = [
  ["statusCode", { ...failure, statusCode: 450.5 }, failure],
  ["statusCode", { ...failure, statusCode: Number.NaN }, failure],
  ["segments", { outcome: "accepted", segments: -1 }, { outcome: "accepted" }],
  ["retryAfterMs", { ...failure, retryAfterMs: Number.NaN }, failure],
  ["retryAfterMs", { ...failure, retryAfterMs: -1 }, failure],
  ["provider", { ...failure, provider: {} }, failure],
  ["error", { ...failure, error: "n\0o" }, failure],
  [
    "senderData",
    {
      outcome: "accepted",
      senderData: { a: 1, b: { c: 2 }, d: "x\0", e: Number.NaN },
    },
    { outcome: "accepted", senderData: { a: 1, d: "x" } },
  ],
  ["senderData", { ...failure, senderData: "none" }, failure],
  [
    "errorClass",
    { ...failure, errorClass: "odd" },
    { ...failure, errorClass: "internal" },
  ],
];
for (const [name, answer, result] of mended) {
  test(`mends ${name} of ${JSON.stringify(answer)}`, () => {
    const checked = checkResult(answer);
    assert.deepEqual(checked.result, result);
    assert.ok(checked.defects.includes(name));
  });
}

test("keeps 255 of a million parts, and those alone that have an id", () => {
  const parts = Array.from({ length: 1e6 }, (_, n) => ({
    externalId: String(n),
  }));
  const many = checkResult({ outcome: "accepted", parts });
  assert.deepEqual(many.defects, ["parts"]);
  assert.deepEqual(many.result, {
    outcome: "accepted",
    parts: parts.slice(0, 255),
  });
  const odd = [{ externalId: 7 }, null, { externalId: "a", state: "lost" }];
  const { result } = checkResult({ outcome: "accepted", parts: odd });
  assert.deepEqual(result, {
    outcome: "accepted",
    parts: [{ externalId: "a" }],
  });
});

test("a receiver may ask for any wait: a year at most is kept", () => {
  for (const retryAfterMs of [1e23, Number.MAX_VALUE, Infinity]) {
    const { result, defects } = checkResult({ ...failure, retryAfterMs });
    assert.deepEqual(result, { ...failure, retryAfterMs: 365 * 86_400_000 });
    assert.deepEqual(defects, []);
  }
});

test("whatever a channel answers, what is kept is a result", () => {
  const value = fc.anything({ withNullPrototype: true, withBigInt: true });
  const outcome = fc.constantFrom(...right.map((it) => it.outcome));
  const record = fc.record(
    {
      outcome: fc.oneof(outcome, value),
      statusCode: value,
      parts: fc.oneof(
        value,
        fc.array(
          fc.record({ externalId: value, state: value }, { requiredKeys: [] }),
          { maxLength: 4 },
        ),
      ),
      receiptExpected: value,
      pollAfterMs: value,
      firstByteMs: value,
      failsOver: value,
      provider: value,
      segments: value,
      errorClass: value,
      error: value,
      retryAfterMs: value,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(value, record), (answer) => {
      const { result } = checkResult(answer);
      // A checked result needs no mending.
      assert.deepEqual(checkResult(result), { result, defects: [] });
    }),
  );
});
