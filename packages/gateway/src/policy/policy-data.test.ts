import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError } from "../errors.ts";
import { parseDeliveryPolicy } from "./policy-data.ts";

test("accepts a policy with everything in it", () => {
  const policy = {
    currency: "EUR",
    breaker: { failureRate: 0.3, minimumAttempts: 10 },
    failover: {
      onErrors: true,
      onUnknownOutcome: false,
      receipts: { onFailed: true, silentMinutes: 10, maxTracked: 100 },
    },
    rules: [
      {
        name: "otp",
        when: { prefix: ["420"], country: ["CZ"], class: ["otp"] },
        sticky: true,
        use: [
          { provider: "a", weight: 3, costPerSegment: 0.03, senders: ["1"] },
          { provider: "b", weight: 0 },
        ],
      },
    ],
  };
  assert.equal(parseDeliveryPolicy(policy), policy);
});

test("lists all problems at once", () => {
  const policy = {
    rulez: [],
    currency: 5,
    breaker: { failureRate: 2, openSeconds: 0 },
    failover: { receipts: { silentMinutes: -1 } },
    rules: [
      { name: "a", use: [{ provider: "" }] },
      { name: "a", use: [], when: { country: ["cz"], prefix: ["+1"] } },
      { use: [{ provider: "x", weight: -1 }], sticky: "yes" },
      7,
    ],
  };
  assert.throws(
    () => parseDeliveryPolicy(policy),
    (error) => {
      assert.ok(error instanceof ConfigurationError);
      for (const problem of [
        "policy.rulez is not known",
        "policy.currency must be text",
        "policy.breaker.failureRate must be a number above 0, at most 1",
        "policy.breaker.openSeconds must be a number above 0",
        "policy.failover.receipts.silentMinutes must be a number above 0",
        "policy.rules[0].use[0].provider must be text",
        'rule name "a" is used twice',
        "policy.rules[1].use must be a list with at least one entry",
        "policy.rules[1].when.country must be a list of two-letter codes",
        "policy.rules[1].when.prefix must be a list of digits",
        "policy.rules[2].name must be text",
        "policy.rules[2].sticky must be true or false",
        "policy.rules[2].use[0].weight must be a number, 0 or more",
        "policy.rules[3] must be an object",
      ]) {
        assert.ok(error.message.includes(problem), problem);
      }
      return true;
    },
  );
});

test("refuses what is no policy at all", () => {
  for (const value of [null, undefined, 1, "x", [], {}]) {
    assert.throws(() => parseDeliveryPolicy(value), ConfigurationError);
  }
});
