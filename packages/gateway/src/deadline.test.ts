import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { Deadline } from "./deadline.ts";

test("ends with whichever is first, and says which", async () => {
  const other = new AbortController();
  using late = new Deadline(60_000, undefined, other.signal);
  assert.equal(late.signal.aborted, false);
  const reason = new Error("stop");
  other.abort(reason);
  assert.equal(late.signal.reason, reason);
  assert.equal(late.isOver, false);

  using soon = new Deadline(1, new AbortController().signal);
  await new Promise((resolve) => {
    soon.signal.addEventListener("abort", resolve);
  });
  assert.equal(soon.isOver, true);
  assert.equal(soon.signal.reason.name, "TimeoutError");
});

test("is aborted from its beginning by a signal that was", () => {
  const reason = new Error("stop");
  using deadline = new Deadline(60_000, AbortSignal.abort(reason));
  assert.equal(deadline.signal.reason, reason);
  assert.equal(deadline.isOver, false);
});

test("leaves nothing behind once it is disposed of", () => {
  const { signal } = new AbortController();
  const timersBefore = process.getActiveResourcesInfo().length;
  for (let n = 0; n < 100; n++) {
    using deadline = new Deadline(60_000, signal);
    assert.equal(getEventListeners(signal, "abort").length, 1);
    assert.equal(deadline.isOver, false);
  }
  assert.equal(getEventListeners(signal, "abort").length, 0);
  assert.equal(process.getActiveResourcesInfo().length, timersBefore);
});
