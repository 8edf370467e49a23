import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultMessageLives, smnMessageLives } from "@carillon/core";
import { loadConfig } from "./config.ts";
import { messageLivesOf } from "./message-lives.ts";

const livesOf = (env: Record<string, string>) =>
  messageLivesOf(loadConfig({ env }));

test("the default lives are those of the retry profile, unless set", () => {
  assert.deepEqual(livesOf({}), defaultMessageLives);
  assert.deepEqual(livesOf({ CARILLON_RETRY_PROFILE: "smn" }), smnMessageLives);
  assert.deepEqual(
    livesOf({
      CARILLON_RETRY_PROFILE: "smn",
      CARILLON_DEFAULT_LIFE_HTTP: "1",
      CARILLON_DEFAULT_LIFE_HTTPS: "2",
      CARILLON_DEFAULT_LIFE_EMAIL: "3",
      CARILLON_DEFAULT_LIFE_SMS: "604800",
      CARILLON_DEFAULT_LIFE_SMS_OTP: "4",
    }),
    { http: 1, https: 2, email: 3, sms: 604_800, smsOtp: 4 },
  );
});

test("a life is as long as a time to live may be", () => {
  for (const value of ["0", "604801", "1h"]) {
    assert.throws(() => livesOf({ CARILLON_DEFAULT_LIFE_SMS: value }), {
      code: "CONFIGURATION_INVALID",
    });
  }
});
