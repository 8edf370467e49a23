import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delivery, DeliveryQuery } from "@carillon/client";
import { progressLines, readProgress } from "./delivery-progress.ts";

const now = Date.UTC(2026, 0, 1);
const at = new Date(now).toISOString();
const { signal } = new AbortController();

function delivery(n: number, change: Partial<Delivery> = {}): Delivery {
  return {
    id: `m-${n}`,
    protocol: "https",
    endpoint: `https://receiver-${n}.example/a/path/that/is/rather/long`,
    state: "delivered",
    attemptCount: 1,
    attempts: [{ at, statusCode: 200 }],
    latencyMs: 12,
    parts: [],
    receipts: [],
    ...change,
  };
}

function retried(n: number): Delivery {
  return delivery(n, {
    state: "retrying",
    attemptCount: 3,
    attempts: [{ at, statusCode: 503, error: "The endpoint answered 503." }],
    error: "The endpoint answered 503.",
    nextAttemptAt: new Date(now + 25_000).toISOString(),
  });
}

function rejected(n: number): Delivery {
  const error = `The endpoint answered 404: ${"nothing is here, ".repeat(9)}`;
  return delivery(n, {
    state: "rejected",
    attempts: [{ at, statusCode: 404, error }],
    error,
  });
}

/** The lines for these deliveries, and what was asked for. */
async function linesOf(
  all: readonly Delivery[],
  room: { width: number; height: number },
) {
  const counts: Record<string, number> = {};
  for (const { state } of all) counts[state] = (counts[state] ?? 0) + 1;
  const report = { id: "m", fannedOut: true, counts };
  const asked: (string | undefined)[] = [];
  const messages = {
    async *deliveries(_id: string, { state }: DeliveryQuery = {}) {
      asked.push(state);
      yield* all.filter((one) => state === undefined || one.state === state);
    },
  };
  const full = { ...room, colours: false };
  const progress = await readProgress(messages, report, full, signal);
  return { asked, lines: progressLines(progress, full, now) };
}

test("says who has it, and who is retried when and why", async () => {
  const { lines } = await linesOf([delivery(1), retried(2)], {
    width: 80,
    height: 24,
  });
  assert.equal(lines[0], "2 deliveries of m: 1 delivered, 1 retrying");
  assert.match(
    lines[2] ?? "",
    /^…-1 +https:.*…\S+ +delivered +1 +after 12 ms$/,
  );
  assert.match(lines[3] ?? "", /retrying +3 +next attempt in 25 s: HTTP 503$/);
});

test("says how long it is before anything is known", () => {
  const report = { id: "m", fannedOut: false, counts: {} };
  const room = { width: 80, height: 24, colours: false };
  assert.deepEqual(progressLines({ report, deliveries: [] }, room, now), [
    "Delivering …",
  ]);
});

test("a message that is held says until when", () => {
  const notBefore = new Date(now + 3 * 86_400_000).toISOString();
  const report = { id: "m", fannedOut: false, counts: {}, notBefore };
  const room = { width: 40, height: 24, colours: false };
  assert.deepEqual(progressLines({ report, deliveries: [] }, room, now), [
    "Not sent before 2026-01-04 00:00:00 UTC,",
    "in 3 d.",
  ]);
});

test("numbers of many digits leave room for the notes", async () => {
  const all = [retried(123456), rejected(7)];
  const { lines } = await linesOf(all, { width: 80, height: 24 });
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.match(
    lines[2] ?? "",
    /^…-123456 .* retrying +3 +next attempt in 25 s/,
  );
});

for (const width of [40, 59, 60, 80, 200]) {
  test(`fits a terminal of ${width} columns`, async () => {
    const all = [delivery(1), retried(2), rejected(3)];
    const { lines } = await linesOf(all, { width, height: 24 });
    for (const line of lines) assert.ok(line.length <= width, line);
    assert.match(lines.join("\n"), /25 s: HTTP 503/);
  });
}

test("of many only those are shown that are not fine, and the rest counted", async () => {
  const all = Array.from({ length: 500 }, (_, n) =>
    n % 10 === 0 ? retried(n) : n === 7 ? rejected(n) : delivery(n),
  );
  const { lines, asked } = await linesOf(all, { width: 80, height: 50 });
  assert.equal(
    lines[0],
    "500 deliveries of m: 449 delivered, 50 retrying, 1 rejected",
  );
  assert.deepEqual(asked, ["rejected", "retrying"]);
  assert.equal(lines.filter((line) => /^…-\d+ +https:/.test(line)).length, 20);
  assert.equal(lines.at(-1), "… and 31 more that are not delivered");
  assert.ok(!lines.some((line) => line.includes("after 12 ms")));
});

test("fits a low terminal", async () => {
  const all = Array.from({ length: 15 }, (_, n) => retried(n));
  for (const height of [6, 10, 12]) {
    const { lines } = await linesOf(all, { width: 80, height });
    assert.ok(lines.length <= height - 1, `${lines.length} in ${height}`);
  }
});
