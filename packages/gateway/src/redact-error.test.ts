import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { LimitsError, ProviderConnectionError } from "./errors.ts";
import { redactError } from "./redact-error.ts";

const secret = "s3cret/word";
const isShown = (error: unknown) =>
  inspect(error, { depth: 9, showHidden: true }).includes(secret);

test("takes secrets out of message, stack, code and causes", () => {
  const cause = new DOMException(`not ${secret}`, "SyntaxError");
  const error = new LimitsError(`No ${secret}`, {
    code: `E ${secret}`,
    retryAfterMs: 7,
    cause: new TypeError(`at ${secret}`, { cause }),
  });
  assert.ok(isShown(error));
  redactError(error, [secret]);
  assert.ok(!isShown(error), inspect(error));
  assert.equal(error.message, "No ***");
  assert.equal(error.code, "E ***");
  assert.match(error.stack ?? "", /^LimitsError: No \*\*\*\n +at /);
  assert.equal(error.retryAfterMs, 7);
});

test("leaves everything else as it was", () => {
  const error = new ProviderConnectionError("reset", { code: 7 });
  const { stack } = error;
  redactError(error, [secret]);
  assert.deepEqual(
    [error.message, error.code, error.stack],
    ["reset", 7, stack],
  );
  for (const other of [undefined, "no error", null])
    redactError(other, [secret]);
  redactError(Object.freeze(new Error(secret)), [secret]);
});
