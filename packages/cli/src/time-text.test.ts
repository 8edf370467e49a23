import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ageText,
  durationText,
  instantText,
  parseDelay,
  parseInstant,
  parseSince,
} from "./time-text.ts";

const now = Date.UTC(2026, 0, 31, 8, 30);

test("durations have the unit that people would use", () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, "0 ms"],
    [12.4, "12 ms"],
    [999, "999 ms"],
    [25_400, "25 s"],
    [119_000, "119 s"],
    [120_000, "2 min"],
    [7_200_000, "2 h"],
    [49 * 3_600_000, "2 d"],
  ];
  for (const [ms, text] of cases) assert.equal(durationText(ms), text);
  assert.equal(ageText("2026-01-31T08:25:00.000Z", now), "5 min");
  // Of a server whose clock is ahead.
  assert.equal(ageText("2026-01-31T08:30:09.000Z", now), "1 s");
  assert.equal(ageText(undefined, now), "");
  assert.equal(instantText("2026-01-31T08:25:00.123Z"), "2026-01-31 08:25:00");
});

test("--since is a time ago or an instant, and nothing else", () => {
  const ago = (text: string) => now - parseSince(text, now).getTime();
  assert.equal(ago("90s"), 90_000);
  assert.equal(ago("30min"), 1_800_000);
  assert.equal(ago("30m"), 1_800_000);
  assert.equal(ago("2h"), 7_200_000);
  assert.equal(ago("7 d"), 604_800_000);
  assert.equal(ago("2026-01-31T08:29:00Z"), 60_000);
  assert.equal(ago("2026-01-31"), 8.5 * 3_600_000);
  const never = ["2026-02-30", "2026-02-29T08:30:00Z", "2026-13-01"];
  const wrong = ["", "yesterday", "5", "h", "-1h", "2026", "99999999d"];
  for (const text of [...wrong, ...never]) {
    assert.throws(() => parseSince(text, now), /is expected/, text);
  }
});

test("--at is an instant and --delay a time ahead, and nothing else", () => {
  assert.equal(
    parseInstant("2026-02-28T08:30:00Z").getTime(),
    Date.UTC(2026, 1, 28, 8, 30),
  );
  assert.equal(parseDelay("2h", now).getTime(), now + 7_200_000);
  assert.equal(parseDelay("90s", now).getTime(), now + 90_000);
  const never = ["2026-02-30", "2026-02-29T08:30:00Z", "2026-13-01"];
  for (const text of ["", "yesterday", "2026", "2h", ...never]) {
    assert.throws(() => parseInstant(text), /is expected/, text);
  }
  for (const text of ["", "2", "-2h", "h", "2026-02-28T08:30:00Z"]) {
    assert.throws(() => parseDelay(text, now), /is expected/, text);
  }
});
