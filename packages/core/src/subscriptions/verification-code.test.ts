import assert from "node:assert/strict";
import { test } from "node:test";
import { addMs, toEpochMs } from "../time.ts";
import {
  CodeGuard,
  toCodeToken,
  verificationCodeOf,
} from "./verification-code.ts";

test("distinguishes codes from the tokens of links", () => {
  const token = toCodeToken("004711", 5, "+4915112345678");
  assert.equal(verificationCodeOf(token), "004711");
  assert.equal(verificationCodeOf("0".repeat(96)), undefined);
  assert.equal(verificationCodeOf("123456"), undefined);
});

test("takes five wrong codes per endpoint, sender and hour", () => {
  const guard = new CodeGuard();
  const begin = toEpochMs(1_000_000);
  for (let n = 0; n < 5; n++) {
    assert.ok(guard.isOpen("a", "me", addMs(begin, n)));
    guard.noteWrong("a", "me", addMs(begin, n));
  }
  assert.equal(guard.isOpen("a", "me", addMs(begin, 3_599_999)), false);
  assert.ok(guard.isOpen("b", "me", begin));
  assert.ok(guard.isOpen("a", "you", begin));
  assert.ok(guard.isOpen("a", "me", addMs(begin, 3_600_000)));
  guard.noteWrong("a", "me", addMs(begin, 3_600_000));
  assert.ok(guard.isOpen("a", "me", addMs(begin, 3_600_001)));
});

test("hears each sender once after a hundred wrong codes", () => {
  const guard = new CodeGuard();
  const begin = toEpochMs(1_000_000);
  for (let n = 0; n < 99; n++) guard.noteWrong("a", `bot ${n}`, begin);
  assert.ok(guard.isOpen("a", "bot 1", begin));
  guard.noteWrong("a", "bot 99", begin);
  assert.equal(guard.isOpen("a", "bot 1", begin), false);
  assert.ok(guard.isOpen("a", "me", begin));
  guard.noteWrong("a", "me", begin);
  assert.equal(guard.isOpen("a", "me", begin), false);
  assert.ok(guard.isOpen("b", "me", begin));
});

test("remembers a bounded number of counts", () => {
  const guard = new CodeGuard();
  const begin = toEpochMs(0);
  for (let n = 0; n < 5; n++) guard.noteWrong("first", "me", begin);
  for (let n = 0; n < 10_000; n++) guard.noteWrong(`k${n}`, "me", begin);
  assert.ok(guard.isOpen("first", "me", begin));
});
