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
  otpOf,
} from "./default-life.ts";
import type { Message, TimeToLive } from "./message.ts";

const createdAt = toEpochMs(1_000_000);
const hour = 3600;
const longer = defaultLivesOf(
  createProtocols([defineTestProtocol("http"), defineTestProtocol("sms")]),
);
const lives: MessageLives = {
  http: 60,
  https: 30,
  email: 20,
  sms: 10,
  [otpOf("sms")]: 5,
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
  for (const protocol of ["http", "sms"]) {
    assert.ok(expiresAtOf(kept, protocol, longer) <= kept.expiresAt);
  }
  const { expiresAt } = kept;
  assert.equal(expiresAtOf(kept, "http", longer), expiresAt);
  // Shorter ones do count.
  const shorter = { ...lives, http: 5 };
  assert.equal(expiresAtOf(kept, "http", shorter) - createdAt, 5000);
});
