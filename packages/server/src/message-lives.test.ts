import assert from "node:assert/strict";
import { test } from "node:test";
import {
  emailProtocol,
  httpProtocol,
  httpsProtocol,
  smsProtocol,
} from "@carillon/channels";
import { createProtocols, defaultLivesOf } from "@carillon/core";
import { defineTestProtocol } from "@carillon/testing";
import { loadConfig } from "./config.ts";
import { messageLivesOf } from "./message-lives.ts";

const protocols = createProtocols([
  httpProtocol,
  httpsProtocol,
  emailProtocol,
  smsProtocol,
  defineTestProtocol("pull", { defaultLifeSeconds: 14 * 86_400 }),
  defineTestProtocol("pigeon", { defaultLifeSeconds: 9 }),
]);
const livesOf = (env: Record<string, string>) =>
  messageLivesOf(loadConfig({ env }), protocols);

test("the default lives are those of the retry profile, unless set", () => {
  assert.deepEqual(livesOf({}), defaultLivesOf(protocols));
  assert.deepEqual(livesOf({ CARILLON_RETRY_PROFILE: "smn" }), {
    http: 3600,
    https: 3600,
    email: 3600,
    sms: 3600,
    "sms otp": 600,
    pull: 14 * 86_400,
    pigeon: 3600,
  });
  assert.deepEqual(
    livesOf({
      CARILLON_RETRY_PROFILE: "smn",
      CARILLON_DEFAULT_LIFE_HTTP: "1",
      CARILLON_DEFAULT_LIFE_HTTPS: "2",
      CARILLON_DEFAULT_LIFE_EMAIL: "3",
      CARILLON_DEFAULT_LIFE_SMS: "604800",
      CARILLON_DEFAULT_LIFE_SMS_OTP: "4",
      CARILLON_DEFAULT_LIFE_PULL: "1209600",
    }),
    {
      http: 1,
      https: 2,
      email: 3,
      sms: 604_800,
      "sms otp": 4,
      pull: 1_209_600,
      pigeon: 3600,
    },
  );
});

test("a life is as long as a time to live may be", () => {
  for (const value of ["0", "604801", "1h"]) {
    assert.throws(() => livesOf({ CARILLON_DEFAULT_LIFE_SMS: value }), {
      code: "CONFIGURATION_INVALID",
    });
  }
});
