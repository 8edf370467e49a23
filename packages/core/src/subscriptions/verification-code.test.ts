import assert from "node:assert/strict";
import { test } from "node:test";
import { addMs, toEpochMs } from "../time.ts";
import { CodeGuard } from "./verification-code.ts";

test("takes five wrong codes per endpoint, sender and hour", () => {
  const guard = new CodeGuard();
  const begin = toEpochMs(1_000_000);
  for (let n = 0; n < 5; n++) {
    assert.ok(guard.take("a", "me", addMs(begin, n)));
  }
  assert.equal(guard.take("a", "me", addMs(begin, 3_599_999)), false);
  assert.ok(guard.take("b", "me", begin));
  assert.ok(guard.take("a", "you", begin));
  for (let n = 0; n < 5; n++) {
    assert.ok(guard.take("a", "me", addMs(begin, 3_600_000 + n)));
  }
  assert.equal(guard.take("a", "me", addMs(begin, 3_600_005)), false);
});

test("right codes count for nothing", () => {
  const guard = new CodeGuard();
  const begin = toEpochMs(1_000_000);
  for (let n = 0; n < 200; n++) {
    assert.ok(guard.take("a", "me", begin));
    guard.giveBack("a", "me", begin);
  }
});

test("hears each sender once after a hundred wrong codes", () => {
  const guard = new CodeGuard();
  const begin = toEpochMs(1_000_000);
  for (let n = 0; n < 100; n++) {
    assert.ok(guard.take("a", `bot ${n}`, begin));
  }
  assert.equal(guard.take("a", "bot 1", begin), false);
  assert.ok(guard.take("a", "me", begin));
  assert.equal(guard.take("a", "me", begin), false);
  assert.ok(guard.take("b", "me", begin));
});

test("remembers a bounded number of counts", () => {
  const guard = new CodeGuard();
  const begin = toEpochMs(0);
  for (let n = 0; n < 5; n++) guard.take("first", "me", begin);
  for (let n = 0; n < 10_000; n++) guard.take(`k${n}`, "me", begin);
  assert.ok(guard.take("first", "me", begin));
});
