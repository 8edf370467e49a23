import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredMessage } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { emailKind, smsKind } from "./stored-kind.ts";
import { tellSent } from "./stored-sending.ts";

const options = { wait: true, output: "json" } as const;
const plain = { id: "m1-0", state: "sent", protocol: "sms", endpoint: "+1" };
const none = { ...plain, attempts: [], receipts: [] };
const at = new Date(Date.now() + 60_500).toISOString();

test("what is attempted again is told apart from what failed", (t) => {
  t.mock.method(process.stdout, "write", () => true);
  for (const [message, delivery, exitCode, sentence] of [
    [
      { state: "retrying", failed: true },
      { nextAttemptAt: at },
      3,
      /^The text is not sent yet: the next attempt is in (60|61) s\.$/,
    ],
    [
      { state: "retrying", failed: true },
      { nextAttemptAt: "2026-01-01T00:00:00Z" },
      3,
      /the next attempt is now\.$/,
    ],
    [
      { state: "retrying", failed: true },
      { waitReason: "sms_batch" },
      3,
      /carillon sms send-batch makes the next attempt\.$/,
    ],
    [
      { state: "failed", failed: true, isFailure: true },
      {},
      1,
      /^The text was not sent; see carillon sms show m1-0\.$/,
    ],
  ] as const) {
    const sent = {
      message: {
        id: "m1-0",
        ...message,
        delivery: { ...none, ...delivery },
      } as unknown as StoredMessage,
    };
    assert.throws(
      () => tellSent(sent, smsKind, options),
      (error) => {
        assert.ok(error instanceof CommandFailure);
        assert.equal(error.exitCode, exitCode);
        assert.match(error.message, sentence);
        return true;
      },
    );
  }
  const fine = {
    message: {
      id: "m1-0",
      state: "sent",
      delivery: none,
    } as unknown as StoredMessage,
  };
  tellSent(fine, emailKind, options);
});
