import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCode, toError, toStatus } from "./status.ts";

type Row = readonly [
  codes: readonly number[],
  kind: string,
  error?: string,
  retryable?: boolean,
];

const rows: readonly Row[] = [
  [[0], "delivered"],
  [[1, 10, 15], "error", "MessageSendError", false],
  [[2, 4, 7], "error", "RequestError", false],
  [[3], "expired", "MessageSendError", true],
  [[5, 6], "error", "ServerError", true],
  [[11, 12, 13, 14], "accepted"],
];

for (const [codes, kind, name, retryable] of rows) {
  test(`${codes} are ${kind}, and ${name ?? "no error"} of a text`, () => {
    for (const code of codes) {
      const error = toError(code);
      assert.equal(error?.name, name);
      if (error) {
        assert.equal(error.code, code);
        assert.equal(error.retryable, retryable);
        assert.equal(error.outcomeUnknown, false);
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

test("a status that nobody knows is kept, and says nothing wrong", () => {
  for (const code of [8, 99, "?", ""]) {
    const error = toError(code);
    assert.equal(error?.name, "MessageSendError");
    assert.equal(error.outcomeUnknown, true);
    assert.equal(error.code, code);
    const { kind, statusCode, status } = toStatus("-1", code);
    assert.deepEqual([kind, statusCode, status], ["unknown", code, null]);
    assert.equal(describeCode(code), undefined);
  }
});
