import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLocalTime } from "./local-time.ts";

test("reads a time two hours ahead of UTC", () => {
  const cases = {
    "2008-08-06 09:43:50": "2008-08-06T07:43:50.000Z",
    "2024-01-01 00:30:00": "2023-12-31T22:30:00.000Z",
    "2024-02-29 02:00:00": "2024-02-29T00:00:00.000Z",
  };
  for (const [text, expected] of Object.entries(cases)) {
    assert.equal(parseLocalTime(text).toISOString(), expected);
  }
});

test("refuses what is no time", () => {
  for (const text of [
    "",
    "2023-02-29 00:00:00",
    "2024-13-01 00:00:00",
    "2024-01-01 24:00:00",
    "2024-01-01",
    "2024-01-01 00:00:00Z",
    " 2024-01-01 00:00:00",
    "1218007814",
  ]) {
    assert.throws(() => parseLocalTime(text), {
      name: "MalformedRequestError",
    });
  }
});
