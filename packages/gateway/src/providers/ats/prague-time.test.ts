import assert from "node:assert/strict";
import { test } from "node:test";
import { msUntilPragueMidnight, parsePragueTime } from "./prague-time.ts";

const later = Date.UTC(2040, 0, 1);

const instants: Readonly<Record<string, string | undefined>> = {
  "2006-04-10 09:32:18": "2006-04-10T07:32:18.000Z",
  "2025-01-15 00:30:00": "2025-01-14T23:30:00.000Z",
  "2025-07-01T00:00:00": "2025-06-30T22:00:00.000Z",
  // The last Sunday of March: 2:00 becomes 3:00.
  "2025-03-30 01:59:59": "2025-03-30T00:59:59.000Z",
  "2025-03-30 02:30:00": "2025-03-30T01:30:00.000Z",
  "2025-03-30 03:00:00": "2025-03-30T01:00:00.000Z",
  // The last Sunday of October: 3:00 becomes 2:00.
  "2025-10-26 01:59:59": "2025-10-25T23:59:59.000Z",
  "2025-10-26 02:30:00": "2025-10-26T01:30:00.000Z",
  "2025-10-26 03:00:00": "2025-10-26T02:00:00.000Z",
  "2024-02-29 12:00:00": "2024-02-29T11:00:00.000Z",
  "2025-02-29 12:00:00": undefined,
  "2025-13-01 12:00:00": undefined,
  "2025-01-01 24:00:00": undefined,
  "2025-01-01 12:00": undefined,
  "2025-01-01 12:00:00Z": undefined,
  yesterday: undefined,
  "": undefined,
};

for (const [text, expected] of Object.entries(instants)) {
  test(`"${text}" in Prague is ${expected ?? "no instant"}`, () => {
    assert.equal(parsePragueTime(text, later)?.toISOString(), expected);
  });
}

test("the hour that comes twice is the one that is not still to come", () => {
  const text = "2025-10-26 02:30:00";
  const at = (now: string) =>
    parsePragueTime(text, Date.parse(now))?.toISOString();
  const first = "2025-10-26T00:30:00.000Z";
  const second = "2025-10-26T01:30:00.000Z";
  assert.equal(at("2025-10-26T00:30:05Z"), first);
  assert.equal(at("2025-10-26T01:20:00Z"), first);
  assert.equal(at("2025-10-26T01:29:00Z"), second);
  assert.equal(at("2025-10-26T01:30:05Z"), second);
});

test("knows how long the day in Prague still is", () => {
  const hoursAt = (now: string) =>
    msUntilPragueMidnight(Date.parse(now)) / 3_600_000;
  assert.equal(hoursAt("2025-01-15T22:00:00Z"), 1);
  assert.equal(hoursAt("2025-01-15T23:00:00Z"), 24);
  assert.equal(hoursAt("2025-07-01T21:30:00Z"), 0.5);
  // Days of 23 and of 25 hours.
  assert.equal(hoursAt("2025-03-29T23:00:00Z"), 23);
  assert.equal(hoursAt("2025-10-25T22:00:00Z"), 25);
});
