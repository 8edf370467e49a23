import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCode, toError, toStatus } from "./status.ts";

const hourMs = 3_600_000;

interface Row {
  readonly codes: readonly number[];
  /** Of the error for a text; absent: it was taken. */
  readonly error?: string;
  readonly retryable?: boolean;
  readonly outcomeUnknown?: boolean;
  readonly retryAfterMs?: number;
  /** What a question says by it. */
  readonly kind: string;
}

const rows: readonly Row[] = [
  { codes: [0, 21, 22], kind: "accepted" },
  { codes: [23], kind: "delivered" },
  { codes: [20, 24], error: "MessageSendError", kind: "error" },
  {
    codes: [25],
    error: "MessageSendError",
    outcomeUnknown: true,
    kind: "unknown",
  },
  { codes: [1, 200], error: "ServerError", retryable: true, kind: "unknown" },
  { codes: [100], error: "AuthError", kind: "unknown" },
  {
    codes: [300, 701, 702, 703, 705],
    error: "RequestError",
    kind: "unknown",
  },
  {
    codes: [310],
    error: "RequestError",
    outcomeUnknown: true,
    kind: "unknown",
  },
  {
    codes: [320, 321, 330, 331, 339, 340, 341, 342, 343, 350, 361, 362],
    error: "RequestError",
    kind: "error",
  },
  {
    codes: [332, 333, 336, 337, 338, 360],
    error: "UnsupportedError",
    kind: "error",
  },
  {
    codes: [334],
    error: "LimitsError",
    retryable: true,
    retryAfterMs: hourMs,
    kind: "error",
  },
  { codes: [335], error: "LimitsError", kind: "error" },
];

for (const { codes, kind, error: name, ...expected } of rows) {
  test(`${codes} are ${name ?? "no errors"}, and ${kind} to a question`, () => {
    for (const code of codes) {
      const error = toError(code, () => hourMs);
      assert.equal(error?.name, name);
      if (error) {
        const { retryable = false, outcomeUnknown = false } = expected;
        assert.equal(error.code, code);
        assert.equal(error.retryable, retryable);
        assert.equal(error.outcomeUnknown, outcomeUnknown);
        assert.equal(error.retryAfterMs, expected.retryAfterMs);
        assert.ok(error.message.includes(describeCode(code) ?? "?"));
      }
      const status = toStatus("-1", code);
      assert.deepEqual(
        [status.msgid, status.kind, status.statusCode, status.status],
        ["-1", kind, code, describeCode(code)],
      );
    }
  });
}

test("a code that nobody knows is kept, and says nothing wrong", () => {
  for (const code of [123_456, 10, "?", ""]) {
    const error = toError(code, () => 0);
    assert.equal(error?.name, "MessageSendError");
    assert.equal(error.outcomeUnknown, true);
    assert.equal(error.code, code);
    const { kind, statusCode, status } = toStatus("-1", code);
    assert.deepEqual([kind, statusCode, status], ["unknown", code, null]);
    assert.equal(describeCode(code), undefined);
  }
});
