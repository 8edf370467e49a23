import assert from "node:assert/strict";
import { test } from "node:test";
import {
  defaultRetryPolicy,
  type RetryPolicy,
  smnRetryPolicy,
} from "../engine/retry-policy.ts";
import { protocols } from "../subscriptions/protocol.ts";
import { toEpochMs } from "../time.ts";
import {
  defaultMessageLives,
  expiresAtOf,
  lastExpiryOf,
  type MessageLives,
  smnMessageLives,
} from "./default-life.ts";
import type { Message, TimeToLive } from "./message.ts";

const createdAt = toEpochMs(1_000_000);
const hour = 3600;
const lives: MessageLives = {
  http: 60,
  https: 30,
  email: 20,
  sms: 10,
  smsOtp: 5,
};

function message(
  timeToLiveSeconds?: TimeToLive,
  keptLives = lives,
  other: Partial<Message> = {},
) {
  const life = {
    createdAt,
    ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
    ...other,
  };
  return { ...life, expiresAt: lastExpiryOf(life, keptLives) };
}

test("each protocol has its own life where none was given", () => {
  for (const [all, protocol, given, seconds] of [
    [defaultMessageLives, "http", undefined, 72 * hour],
    [defaultMessageLives, "https", undefined, 72 * hour],
    [defaultMessageLives, "email", undefined, 72 * hour],
    [defaultMessageLives, "sms", undefined, 4 * hour],
    [smnMessageLives, "http", undefined, hour],
    [smnMessageLives, "https", undefined, hour],
    [smnMessageLives, "email", undefined, hour],
    [smnMessageLives, "sms", undefined, hour],
    [lives, "https", undefined, 30],
    // A given one holds, be it shorter or longer.
    [defaultMessageLives, "http", 1, 1],
    [defaultMessageLives, "sms", 1, 1],
    [defaultMessageLives, "sms", 604_800, 604_800],
    [smnMessageLives, "http", 604_800, 604_800],
    [smnMessageLives, "email", 3600, 3600],
  ] as const) {
    assert.equal(
      expiresAtOf(message(given, all), protocol, all) - createdAt,
      seconds * 1000,
      `${protocol} ${given}`,
    );
  }
});

test("a message ends with its longest life", () => {
  assert.equal(lastExpiryOf({ createdAt }, lives) - createdAt, 60_000);
  const given = { createdAt, timeToLiveSeconds: 7 };
  assert.equal(lastExpiryOf(given, lives) - createdAt, 7000);
  assert.equal(lastExpiryOf({ createdAt }, lives, ["sms"]) - createdAt, 10_000);
});

test("lives may be given by protocol; others keep their defaults", () => {
  const kept = message({ sms: 3, http: 100 });
  assert.equal(kept.expiresAt - createdAt, 100_000);
  for (const [protocol, seconds] of [
    ["http", 100],
    ["https", 30],
    ["email", 20],
    ["sms", 3],
  ] as const) {
    const end = expiresAtOf(kept, protocol, lives);
    assert.equal(end - createdAt, seconds * 1000, protocol);
  }
});

test("texts of class otp live short, unless a life is given", () => {
  const otp = { class: "otp" } as const;
  for (const [kept, protocol, seconds] of [
    [message(undefined, lives, otp), "sms", 5],
    [message(undefined, lives, otp), "email", 20],
    [message(undefined, lives, { class: "bulk" }), "sms", 10],
    [message(7, lives, otp), "sms", 7],
    [message({ sms: 8 }, lives, otp), "sms", 8],
    [message({ email: 8 }, lives, otp), "sms", 5],
  ] as const) {
    const end = expiresAtOf(kept, protocol, lives);
    assert.equal(end - createdAt, seconds * 1000);
  }
});

test("lives are counted from the instant before which nothing is sent", () => {
  const notBefore = toEpochMs(createdAt + 3_600_000);
  for (const [given, seconds] of [
    [undefined, 10],
    [7, 7],
    [{ sms: 8 }, 8],
  ] as const) {
    const kept = message(given, lives, { notBefore });
    assert.equal(expiresAtOf(kept, "sms", lives) - notBefore, seconds * 1000);
  }
});

test("longer lives of later do not prolong what was accepted", () => {
  const kept = message();
  for (const protocol of protocols) {
    assert.ok(
      expiresAtOf(kept, protocol, defaultMessageLives) <= kept.expiresAt,
    );
  }
  const { expiresAt } = kept;
  assert.equal(expiresAtOf(kept, "http", defaultMessageLives), expiresAt);
  // Shorter ones do count.
  const shorter = { ...lives, http: 5 };
  assert.equal(expiresAtOf(kept, "http", shorter) - createdAt, 5000);
});

test("the default lives outlast the schedules where retrying costs nothing", () => {
  const longest = ({ delaysMs, jitter }: RetryPolicy) =>
    (delaysMs.reduce((sum, ms) => sum + ms, 0) * (1 + jitter)) / 1000;
  for (const protocol of ["http", "https", "email"] as const) {
    assert.ok(longest(defaultRetryPolicy) < defaultMessageLives[protocol]);
    assert.ok(longest(smnRetryPolicy) < smnMessageLives[protocol]);
  }
  // What the documentation says of them.
  assert.deepEqual(
    [defaultRetryPolicy, smnRetryPolicy].map((policy) => [
      policy.delaysMs.reduce((sum, ms) => sum + ms, 0) / 1000,
      Math.round(longest(policy)),
    ]),
    [
      [160_955, 193_146],
      [1085, 1302],
    ],
  );
});
