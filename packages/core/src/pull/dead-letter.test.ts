import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonNotQueued } from "./dead-letter.ts";

test("a full mailbox says how many messages are in it", () => {
  const reasonOf = (depth: number, quota: number) =>
    reasonNotQueued({ depth, quota });
  assert.equal(reasonOf(1, 2), undefined);
  assert.match(reasonOf(1, 1) ?? "", /full: 1 message is in it unconfirmed,/);
  assert.match(reasonOf(2, 2) ?? "", /full: 2 messages are in it unconfirmed,/);
});
