import assert from "node:assert/strict";
import { test } from "node:test";
import type { GuardReport } from "@carillon/client";
import { guardLines } from "./guard-lines.ts";

const report: GuardReport = {
  rules: { countries: [], numberPerHour: 60 },
  held: [{ reason: "number_limit", count: 3 }],
  topNumbers: [{ number: "+42***456", country: "CZ", count: 3 }],
  topPrefixes: [{ number: "+42***123…", country: "CZ", count: 3 }],
  spend: [
    {
      scope: "all",
      period: "day",
      date: "2026-11-27",
      amount: 4,
      limit: 5,
      percent: 80,
    },
  ],
  currency: "EUR",
};

test("shows numbers and prefixes apart, with their countries, and money with its currency", () => {
  assert.equal(
    guardLines(report, { colours: false, width: 80 }).join("\n"),
    `rule           in force
countries             -
numberPerHour        60

held in 24 hours  texts
number_limit          3

numbers held most  country  texts
+42***456          CZ           3

prefixes held most  country  texts
+42***123…          CZ           3

spend, EUR       spent  limit   %
all, 2026-11-27   4.00   5.00  80`,
  );
});

test("says so when nothing was held, and leaves out what there is not", () => {
  const lines = guardLines(
    { rules: {}, held: [], topNumbers: [], topPrefixes: [], spend: [] },
    { colours: false },
  );
  assert.equal(lines.at(-1), "No text was held in the last 24 hours.");
});
