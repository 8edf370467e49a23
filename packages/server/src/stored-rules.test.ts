import assert from "node:assert/strict";
import { test } from "node:test";
import { toEpochMs } from "@carillon/core";
import { loadConfig } from "./config.ts";
import { storedRulesOf } from "./stored-rules.ts";

function rulesWith(env: Readonly<Record<string, string>>) {
  const config = loadConfig({ env });
  return storedRulesOf(() => config, { sms: 14_400, "sms otp": 600 });
}

const stripped = [
  ["Příliš žluťoučký kůň", "Prilis zlutoucky kun"],
  ["…", "..."],
  ["½", "12"],
  ["ﬁ", "fi"],
  ["a\u00a0b", "a b"],
  ["№5", "No5"],
  ["x²", "x2"],
  ["Straße", "Strae"],
  ["łđøæ€“”–a", "a"],
  ["Привет, svět 🙂", ", svet "],
] as const;

for (const [text, expected] of stripped) {
  test(`strips ${text} to ${expected}, as pymess does`, () => {
    const { sms } = rulesWith({ CARILLON_SMS_ACCENTS: "strip-ascii" });
    assert.equal(sms.cleanText?.(text, {}), expected);
    assert.equal(sms.cleanText?.(text, { accents: "keep" }), text);
  });
}

test("refuses a text of which nothing is left", () => {
  const { sms } = rulesWith({});
  for (const accents of ["strip-ascii", "transliterate"]) {
    assert.throws(() => sms.cleanText?.("🙂", { accents }), {
      code: "MESSAGE_INVALID",
    });
  }
  assert.throws(() => sms.cleanText?.("Привет", { accents: "strip-ascii" }), {
    code: "MESSAGE_INVALID",
  });
});

test("transliterates where there is something close for all of it", () => {
  const { sms } = rulesWith({ CARILLON_SMS_ACCENTS: "transliterate" });
  assert.equal(sms.cleanText?.("„Příliš“ – Straße", {}), '"Prilis" - Straße');
  assert.equal(sms.cleanText?.("Привет", {}), "Привет");
});

test("keeps texts as they are by default, and refuses other levels", () => {
  const { sms } = rulesWith({});
  assert.equal(sms.cleanText?.("Příliš", {}), "Příliš");
  assert.throws(() => sms.cleanText?.("a", { accents: "none" }), {
    code: "MESSAGE_OPTION_INVALID",
  });
});

test("puts the default code in front of numbers", () => {
  const { sms, email } = rulesWith({ CARILLON_SMS_DEFAULT_PHONE_CODE: "+420" });
  assert.equal(sms.cleanRecipient?.("777 123 456"), "+420777123456");
  assert.equal(email.cleanRecipient, undefined);
});

const notBefore = toEpochMs(1);
const batched = {
  isBatched: true,
  timeToLiveSeconds: 3600,
  message: { retries: "batch" },
};
const terms = [
  [{}, {}, { isBatched: false }],
  [
    { CARILLON_STORED_PROFILE: "pymess" },
    {},
    { isBatched: false, message: { retries: "none" } },
  ],
  [{ CARILLON_SMS_BATCH_ENABLED: "true" }, {}, batched],
  [
    { CARILLON_SMS_BATCH_ENABLED: "true" },
    { sendImmediately: true },
    { ...batched, isBatched: false },
  ],
  [
    { CARILLON_SMS_BATCH_ENABLED: "true" },
    { notBefore },
    { ...batched, isBatched: false },
  ],
  [
    {
      CARILLON_SMS_BATCH_ENABLED: "true",
      CARILLON_SMS_BATCH_MAX_AGE_SECONDS: "60",
      CARILLON_STORED_PROFILE: "pymess",
    },
    {},
    { ...batched, timeToLiveSeconds: 60 },
  ],
  [
    { CARILLON_SMS_BATCH_ENABLED: "true" },
    { class: "otp" },
    { ...batched, timeToLiveSeconds: 600 },
  ],
  [
    { CARILLON_SMS_BATCH_ENABLED: "true" },
    { class: "otp", sendImmediately: true },
    { ...batched, timeToLiveSeconds: 600, isBatched: false },
  ],
  [
    {
      CARILLON_SMS_BATCH_ENABLED: "true",
      CARILLON_SMS_BATCH_MAX_AGE_SECONDS: "60",
    },
    { class: "otp" },
    { ...batched, timeToLiveSeconds: 60 },
  ],
] as const;

for (const [env, send, expected] of terms) {
  test(`a send ${JSON.stringify(send)} under ${JSON.stringify(env)}`, () => {
    const { sms } = rulesWith(env);
    assert.deepEqual(
      sms.termsOf({ sendImmediately: false, ...send }),
      expected,
    );
  });
}

test("batch mode is each channel's own", () => {
  const { sms, email } = rulesWith({ CARILLON_EMAIL_BATCH_ENABLED: "true" });
  assert.equal(sms.termsOf({ sendImmediately: false }).isBatched, false);
  assert.equal(email.termsOf({ sendImmediately: false }).isBatched, true);
});
