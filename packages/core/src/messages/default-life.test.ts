import assert from "node:assert/strict";
import { test } from "node:test";
import { defineTestProtocol } from "@carillon/testing";
import { createProtocols } from "../subscriptions/protocol.ts";
import { toEpochMs } from "../time.ts";
import {
  defaultLivesOf,
  expiresAtOf,
  lastExpiryOf,
  type MessageLives,
} from "./default-life.ts";

const createdAt = toEpochMs(1_000_000);
const hour = 3600;
const longer = defaultLivesOf(
  createProtocols([defineTestProtocol("http"), defineTestProtocol("sms")]),
);
const lives: MessageLives = { http: 60, https: 30, email: 20, sms: 10 };

function message(timeToLiveSeconds?: number, keptLives = lives) {
  return {
    createdAt,
    expiresAt: lastExpiryOf(createdAt, timeToLiveSeconds, keptLives),
    ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
  };
}

test("each protocol has its own life where none was given", () => {
  for (const [all, protocol, given, seconds] of [
    [longer, "http", undefined, 72 * hour],
    [longer, "sms", undefined, 4 * hour],
    // As long as the message, which ends with the longest life.
    [longer, "gone", undefined, 72 * hour],
    [lives, "https", undefined, 30],
    // A given one holds, be it shorter or longer.
    [longer, "http", 1, 1],
    [longer, "sms", 604_800, 604_800],
  ] as const) {
    assert.equal(
      expiresAtOf(message(given, all), protocol, all) - createdAt,
      seconds * 1000,
      `${protocol} ${given}`,
    );
  }
});

test("a message ends with its longest life", () => {
  assert.equal(lastExpiryOf(createdAt, undefined, lives) - createdAt, 60_000);
  assert.equal(lastExpiryOf(createdAt, 7, lives) - createdAt, 7000);
});

test("longer lives of later do not prolong what was accepted", () => {
  const kept = message();
  for (const protocol of ["http", "sms"]) {
    assert.ok(expiresAtOf(kept, protocol, longer) <= kept.expiresAt);
  }
  const { expiresAt } = kept;
  assert.equal(expiresAtOf(kept, "http", longer), expiresAt);
  // Shorter ones do count.
  const shorter = { ...lives, http: 5 };
  assert.equal(expiresAtOf(kept, "http", shorter) - createdAt, 5000);
});
