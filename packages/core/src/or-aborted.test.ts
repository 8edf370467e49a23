import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { orAborted } from "./or-aborted.ts";

test("settles as the work does, and leaves no listener behind", async () => {
  const { signal } = new AbortController();
  assert.equal(await orAborted(Promise.resolve(1), signal), 1);
  assert.equal(await orAborted(Promise.resolve(2), undefined), 2);
  await assert.rejects(orAborted(Promise.reject(new Error("no")), signal), {
    message: "no",
  });
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("rejects with the reason at once, and drops what comes later", async () => {
  const stop = new AbortController();
  const work = Promise.withResolvers<void>();
  const waiting = orAborted(work.promise, stop.signal);
  stop.abort(new Error("stop"));
  await assert.rejects(waiting, { message: "stop" });
  await assert.rejects(orAborted(work.promise, stop.signal), {
    message: "stop",
  });
  // Nobody listens to this any more; unhandled, it would fail the test.
  work.reject(new Error("late"));
  await new Promise((resolve) => setImmediate(resolve));
});
