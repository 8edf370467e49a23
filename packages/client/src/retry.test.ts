import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConnectionError,
  ResponseError,
  ServerError,
  ThrottledError,
} from "./errors.ts";
import { createRetryPolicy } from "./retry.ts";

const unavailable = new ServerError("", { status: 503 });

function delays(random: number): (number | undefined)[] {
  const policy = createRetryPolicy(
    { maxRetries: 5, baseDelayMs: 100, maxDelayMs: 1000 },
    () => random,
  );
  return [1, 2, 3, 4, 5, 6].map((attempts) =>
    policy({ error: unavailable, attempts, isIdempotent: true }),
  );
}

test("waits longer each time, by half of it at random", () => {
  assert.deepEqual(delays(0), [50, 100, 200, 400, 500, undefined]);
  assert.deepEqual(delays(0.5), [75, 150, 300, 600, 750, undefined]);
});

test("does not come before the service wants it", () => {
  const policy = createRetryPolicy({}, () => 0);
  const error = new ThrottledError("", { status: 429, retryAfterMs: 5000 });
  assert.equal(policy({ error, attempts: 1, isIdempotent: true }), 5000);
});

test("repeats what is not idempotent only if it was not sent", () => {
  const policy = createRetryPolicy();
  const broken = (outcomeUnknown: boolean) =>
    policy({
      error: new ConnectionError("", { outcomeUnknown }),
      attempts: 1,
      isIdempotent: false,
    });
  assert.equal(broken(true), undefined);
  assert.notEqual(broken(false), undefined);
});

test("no retries means none", () => {
  const policy = createRetryPolicy({ maxRetries: 0 });
  assert.equal(
    policy({ error: unavailable, attempts: 1, isIdempotent: true }),
    undefined,
  );
});

test("repeats a request whose first one is still running, and no other conflict", () => {
  const policy = createRetryPolicy({}, () => 0);
  const conflict = (retryAfterMs?: number) =>
    policy({
      error: new ResponseError("", { status: 409, retryAfterMs }),
      attempts: 1,
      isIdempotent: true,
    });
  assert.equal(conflict(1000), 1000);
  assert.equal(conflict(), undefined);
});
