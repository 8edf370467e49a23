import assert from "node:assert/strict";
import { test } from "node:test";
import { toEpochMs } from "@carillon/core";
import { idleFromOf } from "./batch-settings.ts";
import { loadConfig } from "./config.ts";

const createdAt = toEpochMs(1);
const sentAt = toEpochMs(2);

for (const [profile, protocol, expected] of [
  ["default", "sms", sentAt],
  ["pymess", "sms", createdAt],
  ["default", "email", sentAt],
  ["pymess", "email", sentAt],
] as const) {
  test(`in profile ${profile} ${protocol} is idle from ${expected}`, () => {
    const config = loadConfig({ env: { CARILLON_STORED_PROFILE: profile } });
    const facts = { protocol, createdAt, sentAt };
    assert.equal(idleFromOf(config, facts), expected);
  });
}
