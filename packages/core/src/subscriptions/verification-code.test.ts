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

test("takes five wrong codes per endpoint and hour", () => {
  const guard = new CodeGuard();
  const begin = toEpochMs(1_000_000);
  for (let n = 0; n < 5; n++) {
    assert.ok(guard.isOpen("a", addMs(begin, n)));
    guard.noteWrong("a", addMs(begin, n));
  }
  assert.equal(guard.isOpen("a", addMs(begin, 3_599_999)), false);
  assert.ok(guard.isOpen("b", begin));
  assert.ok(guard.isOpen("a", addMs(begin, 3_600_000)));
  guard.noteWrong("a", addMs(begin, 3_600_000));
  assert.ok(guard.isOpen("a", addMs(begin, 3_600_001)));
});

test("remembers a bounded number of endpoints", () => {
  const guard = new CodeGuard();
  const begin = toEpochMs(0);
  for (let n = 0; n < 5; n++) guard.noteWrong("first", begin);
  for (let n = 0; n < 10_000; n++) guard.noteWrong(`k${n}`, begin);
  assert.ok(guard.isOpen("first", begin));
});
