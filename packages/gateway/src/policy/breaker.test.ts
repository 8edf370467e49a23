import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { Breaker } from "./breaker.ts";
import type { BreakerPolicy } from "./policy-data.ts";

function setUp(policy: BreakerPolicy = {}) {
  const clock = new ManualClock();
  const breaker = new Breaker(
    { minimumAttempts: 4, windowSeconds: 10, openSeconds: 30, ...policy },
    clock,
  );
  const fail = (times = 1): void => {
    for (let i = 0; i < times; i++) breaker.admit()?.failed();
  };
  const succeed = (times = 1): void => {
    for (let i = 0; i < times; i++) breaker.admit()?.succeeded();
  };
  return { clock, breaker, fail, succeed };
}

test("opens when enough attempts failed at the given rate", () => {
  const { breaker, fail, succeed } = setUp();
  succeed(2);
  fail();
  assert.equal(breaker.state, "closed");
  fail();
  assert.equal(breaker.state, "open");
  assert.equal(breaker.admit(), undefined);
  assert.equal(breaker.probeInMs, 30_000);
});

test("few attempts do not count, nor does a low rate", () => {
  const { breaker, fail, succeed } = setUp({ failureRate: 0.8 });
  fail(3);
  assert.equal(breaker.state, "closed");
  succeed(10);
  fail(3);
  assert.equal(breaker.state, "closed");
});

test("failures before the window do not count", () => {
  const { clock, breaker, fail } = setUp();
  fail(3);
  clock.advance(11_000);
  fail(1);
  assert.equal(breaker.state, "closed");
});

test("probes in time though the machine's time was set back", () => {
  const { clock, breaker, fail } = setUp();
  fail(4);
  clock.jump(-3_600_000);
  clock.advance(30_000);
  assert.equal(breaker.state, "half-open");
});

test("answers whole milliseconds, never less than are left", () => {
  const { clock, breaker, fail } = setUp();
  fail(4);
  clock.advance(0.25);
  assert.equal(breaker.probeInMs, 30_000);
  clock.advance(29_999.5);
  assert.equal(breaker.probeInMs, 1);
  assert.equal(breaker.state, "open");
});

test("lets one probe through, and closes when it succeeds", () => {
  const { clock, breaker, fail } = setUp();
  fail(4);
  clock.advance(29_999);
  assert.equal(breaker.admit(), undefined);
  clock.advance(1);
  assert.equal(breaker.state, "half-open");
  const probe = breaker.admit();
  assert.ok(probe);
  assert.equal(breaker.admit(), undefined);
  probe.succeeded();
  assert.equal(breaker.state, "closed");
  fail(3);
  assert.equal(breaker.state, "closed");
});

test("a failing probe opens it for as long again", () => {
  const { clock, breaker, fail } = setUp();
  fail(4);
  clock.advance(30_000);
  breaker.admit()?.failed();
  assert.equal(breaker.state, "open");
  assert.equal(breaker.probeInMs, 30_000);
});

test("a probe without a result makes room for another", () => {
  const { clock, breaker, fail } = setUp();
  fail(4);
  clock.advance(30_000);
  breaker.admit()?.released();
  assert.equal(breaker.state, "half-open");
  assert.ok(breaker.admit());
});

test("a probe that never settles makes room after as long as it was open", () => {
  const { clock, breaker, fail } = setUp();
  fail(4);
  clock.advance(30_000);
  const lost = breaker.admit();
  assert.ok(lost);
  clock.advance(29_999);
  assert.equal(breaker.admit(), undefined);
  clock.advance(1);
  const next = breaker.admit();
  assert.ok(next);
  // What comes of the first one does not count any more.
  lost.failed();
  assert.equal(breaker.state, "half-open");
  assert.equal(breaker.admit(), undefined);
  next.succeeded();
  assert.equal(breaker.state, "closed");
});
