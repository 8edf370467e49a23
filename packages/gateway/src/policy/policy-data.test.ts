import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError } from "../errors.ts";
import {
  parseDeliveryPolicy,
  problemsWithPolicy,
  problemWithPolicyProviders,
} from "./policy-data.ts";

test("accepts a policy with everything in it", () => {
  const policy = {
    currency: "EUR",
    breaker: { failureRate: 0.3, minimumAttempts: 10 },
    failover: {
      onErrors: true,
      onUnknownOutcome: false,
      receipts: { onFailed: true, silentMinutes: 10, maxTracked: 100 },
    },
    providers: {
      a: { costPerSegment: 0.03, senders: ["1"] },
      unused: {},
    },
    rules: [
      {
        name: "otp",
        when: {
          prefix: ["420"],
          country: ["CZ"],
          class: ["otp"],
          sender: ["ACME"],
        },
        sticky: true,
        use: "(a*3 && b) || c",
        providers: { b: { costPerSegment: 0, senders: ["2", "3"] } },
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
    providers: { a: { costPerSegment: -1, colour: "red" } },
    rules: [
      { name: "a", use: "" },
      { name: "a", use: "x |", when: { country: ["cz"], prefix: ["+1"] } },
      { use: [{ provider: "x" }], sticky: "yes", when: { sender: [] } },
      7,
      { name: "b", use: "x", providers: { y: {}, x: { senders: [1] } } },
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
        "policy.providers.a.costPerSegment must be a number, 0 or more",
        "policy.providers.a.colour is not known",
        'policy.rules[0].use must be a route in one line, such as "a || b"',
        'rule name "a" is used twice',
        'policy.rules[1].use is no route: expected "||", found a single "|"\n  x |\n    ^\n',
        "policy.rules[1].when.country must be a list of ISO 3166 codes such as DE",
        "policy.rules[1].when.prefix must be a list of digits",
        "policy.rules[2].name must be text",
        "policy.rules[2].use must be a route in one line",
        "policy.rules[2].sticky must be true or false",
        "policy.rules[2].when.sender must be a list of text",
        "policy.rules[3] must be an object",
        "policy.rules[4].providers.y is not in the rule's use",
        "policy.rules[4].providers.x.senders must be a list of text",
      ]) {
        assert.ok(
          error.message.includes(problem),
          `${problem}\n\n${error.message}`,
        );
      }
      return true;
    },
  );
});

test("refuses a country that no number has", () => {
  const policy = (country: unknown) => ({
    rules: [{ name: "a", use: "x", when: { country } }],
  });
  assert.deepEqual(problemsWithPolicy(policy(["DE", "XX"])), [
    "policy.rules[0].when.country must be a list of ISO 3166 codes such as DE",
  ]);
  assert.deepEqual(problemsWithPolicy(policy(["DE", "CZ"])), []);
});

test("names providers that there are not, whatever else is wrong", () => {
  const policy = {
    rulez: 1,
    rules: [
      { use: "x || y" },
      { name: "b", use: "|" },
      { name: "c", use: "z" },
    ],
    providers: { w: {} },
  };
  assert.equal(
    problemWithPolicyProviders(policy, ["x"]),
    'unknown providers: "y" in rules[0], "z" in rule "c", "w" in providers; there are x',
  );
  assert.equal(problemWithPolicyProviders(7, ["x"]), undefined);
});

test("refuses what is no policy at all", () => {
  for (const value of [null, undefined, 1, "x", [], {}]) {
    assert.throws(() => parseDeliveryPolicy(value), ConfigurationError);
  }
});
