import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPollAnswer } from "./poll-answer.ts";

const asked = new Set(["a", "b"]);

test("passes a right answer on as it is", () => {
  const answers = [
    {
      outcome: "answered",
      receipts: [
        { externalId: "a", event: "deliver", code: "23", text: "Delivered" },
        { externalId: "b", event: "accept" },
      ],
    },
    { outcome: "deferred", error: "Busy", retryAfterMs: 7000 },
    { outcome: "credentials", error: "Who?" },
    { outcome: "refused", error: "No such id" },
  ];
  for (const answer of answers) {
    assert.deepEqual(checkPollAnswer(answer, asked), {
      answer,
      unasked: 0,
      malformed: 0,
    });
  }
});

test("drops receipts of others, and those that are none", () => {
  const deliver = { externalId: "a", event: "deliver" };
  const receipts = [
    { ...deliver, code: 23, text: {} },
    { ...deliver, externalId: "c" },
    { ...deliver, externalId: 1 },
    { ...deliver, event: "vanish" },
    null,
    "a",
  ];
  assert.deepEqual(checkPollAnswer({ outcome: "answered", receipts }, asked), {
    answer: { outcome: "answered", receipts: [deliver] },
    unasked: 1,
    malformed: 4,
  });
});

test("what is no answer counts as none for now", () => {
  const throwing = {
    get outcome() {
      throw new Error("No");
    },
  };
  const none = [undefined, null, "yes", [], {}, { outcome: "delivered" }];
  const others = [{ outcome: "answered", receipts: {} }, throwing];
  for (const given of [...none, ...others]) {
    const { answer, malformed } = checkPollAnswer(given, asked);
    assert.equal(answer.outcome, "deferred");
    assert.equal(malformed, 1);
  }
  const { answer } = checkPollAnswer(
    { outcome: "deferred", error: 5, retryAfterMs: Number.NaN },
    asked,
  );
  assert.deepEqual(answer, {
    outcome: "deferred",
    error: "The channel gave no reason.",
  });
});
