import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExplainedText } from "@carillon/client";
import { explanationLines } from "./explanation-lines.ts";

const explained: ExplainedText = {
  provider: "ats",
  by: "policy",
  rule: "codes",
  use: "(twilio*3 && ats) || log",
  sticky: false,
  reason: 'rule "codes" matched: the class is otp',
  considered: [
    {
      rule: "america",
      matched: false,
      reason:
        "the country is CZ, not US or CA or MX or PR or BS or JM or BB or TT",
    },
    { rule: "codes", matched: true, reason: "the class is otp" },
    {
      rule: "rest",
      matched: false,
      reason: 'rule "codes" comes before it',
    },
  ],
  candidates: [
    {
      provider: "twilio",
      sender: "ACME",
      breaker: "open",
      paused: false,
      estimatedCost: { amount: 0.1, currency: "EUR" },
    },
    { provider: "ats", breaker: "closed", paused: false },
  ],
  encoding: "ucs2",
  segments: 2,
  problems: [],
};

test("shows the choice, the order and the rules in 80 columns", () => {
  const text = explanationLines(explained, {
    colours: false,
    width: 80,
  }).join("\n");
  assert.equal(
    text,
    `provider: ats
because: rule "codes" matched: the class is otp
route: (twilio*3 && ats) || log (drawn for each text)
segments: 2 (ucs2)
cost: not known

#  provider  sender  state            cost
1  twilio    ACME    breaker open  0.1 EUR
2  ats               ok

rule     matched  why
america  no       the country is CZ, not US or CA or MX or PR or BS or JM or BB
                  or TT
codes    yes      the class is otp
rest     no       rule "codes" comes before it`,
  );
  for (const line of text.split("\n")) assert.ok(line.length <= 80, line);
});

test("says who is paused, and breaks what is wrong between words", () => {
  const [first, second] = explained.candidates;
  assert.ok(first && second);
  const lines = explanationLines(
    {
      ...explained,
      candidates: [{ ...first, paused: true }, second],
      problems: [
        "The guard held it: texts to premium-rate numbers are not allowed. To allow them, set sms.guard.allowPremium.",
      ],
    },
    { colours: false, width: 80 },
  );
  assert.ok(lines.join("\n").includes("twilio    ACME    paused"));
  assert.deepEqual(lines.slice(-3), [
    "It would not be sent:",
    "  The guard held it: texts to premium-rate numbers are not allowed. To allow",
    "  them, set sms.guard.allowPremium.",
  ]);
});

test("leaves out what there is not, and says what is wrong", () => {
  const text = explanationLines(
    {
      sticky: false,
      reason: "nobody named a provider, and there is no default",
      considered: [],
      candidates: [],
      encoding: "gsm7",
      segments: 1,
      problems: ["the gateway has no provider"],
    },
    { colours: false, width: 80 },
  ).join("\n");
  assert.equal(
    text,
    `provider: none
because: nobody named a provider, and there is no default
segments: 1 (gsm7)
cost: not known

It would not be sent:
  the gateway has no provider`,
  );
});
