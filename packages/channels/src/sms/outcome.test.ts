import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageSendError } from "@carillon/gateway";
import { outcomeOfError } from "./outcome.ts";

for (const refused of ["message", "request", undefined] as const) {
  test(`keeps that a carrier refused: ${refused}`, () => {
    const error = new MessageSendError("No.", refused && { refused });
    const result = outcomeOfError(error);
    assert.deepEqual([result.outcome, result.refused], ["rejected", refused]);
  });
}
