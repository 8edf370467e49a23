import assert from "node:assert/strict";
import { test } from "node:test";
import { toEpochMs } from "../time.ts";
import { attemptNumbers } from "./attempt-numbers.ts";
import type { Attempt } from "./delivery.ts";

const at = toEpochMs(0);
const made: Attempt = { at, durationMs: 5, provider: "a" };
const quick: Attempt = { at, durationMs: 0, errorClass: "interrupted" };
const held: Attempt = { at, durationMs: 0, errorClass: "guard" };

for (const [title, attempts, attemptCount, numbers] of [
  ["numbers attempts from 1", [made, quick, made], 3, [1, 2, 3]],
  ["gives what was held no number", [held], 0, [undefined]],
  ["numbers what was sent after it was held", [held, made], 1, [undefined, 1]],
  ["sees what ended after attempts", [made, made, held], 2, [1, 2, undefined]],
  ["knows attempts whose outcome is still to come", [made], 2, [1]],
] as const) {
  test(title, () => {
    assert.deepEqual(attemptNumbers({ attempts, attemptCount }), numbers);
  });
}
