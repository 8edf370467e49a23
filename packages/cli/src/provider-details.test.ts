import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProviderDetails } from "@carillon/client";
import { providerLines } from "./provider-details.ts";

const none = { attempts: 0, accepted: 0, failed: 0, unknown: 0 };

function lineOf(reports: ProviderDetails["reports"]): string | undefined {
  const provider: ProviderDetails = {
    name: "us",
    type: "twilio",
    state: "ok",
    isDefault: true,
    rules: [],
    lastFiveMinutes: none,
    lastHour: none,
    sinceStart: none,
    receipts: { seen: 0, expected: 0, final: 0 },
    errors: [],
    callbacks: [],
    reports,
    settings: {},
  };
  return providerLines(provider, { colours: false })
    .find((line) => line.startsWith("  reports: "))
    ?.slice("  reports: ".length);
}

for (const [reports, text] of [
  [{ callbacks: "known" }, "its carrier calls"],
  [
    { callbacks: "known", askedAfterMs: 3_600_000 },
    "its carrier calls; its carrier is asked 60 min after a text",
  ],
  [
    { callbacks: "none", askedAfterMs: 30_000 },
    "its carrier is asked 30 s after a text",
  ],
  [
    { callbacks: "unknown" },
    "its carrier is not told where to call, for publicUrl is not set",
  ],
  [{ callbacks: "none" }, "its carrier neither calls nor is asked"],
] as const) {
  test(`says of reports: ${text}`, () => {
    assert.equal(lineOf(reports), text);
  });
}
