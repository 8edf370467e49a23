import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ConditionContext,
  type ConditionResult,
  compileContext,
  evaluateConditions,
  parseConditions,
} from "./access-condition.ts";

function evaluate(
  condition: unknown,
  context: ConditionContext,
): ConditionResult {
  return evaluateConditions(
    parseConditions(condition),
    compileContext(context),
  );
}

/** One operator with one key, against one value. */
function hold(operator: string, values: unknown, actual: string | string[]) {
  return evaluate({ [operator]: { "g:Key": values } }, { "g:Key": actual });
}

test("each operator compares as its name says", () => {
  const cases: readonly [string, unknown, string, boolean][] = [
    ["StringEquals", ["a", "b"], "b", true],
    ["StringEquals", "a", "A", false],
    ["StringNotEquals", ["a", "b"], "c", true],
    ["StringNotEquals", ["a", "b"], "b", false],
    ["StringEqualsIgnoreCase", "Straße", "STRASSE", false],
    ["StringEqualsIgnoreCase", "Foo", "fOO", true],
    ["StringNotEqualsIgnoreCase", "Foo", "fOO", false],
    [
      "StringLike",
      ["https://*.example.com/?"],
      "https://a.example.com/b",
      true,
    ],
    ["StringLike", "a*", "ba", false],
    ["StringNotLike", "a*", "ba", true],
    ["StringNotLike", ["b*", "*a"], "ba", false],
    ["StringEquals", 7, "7", true],
    ["Bool", true, "TRUE", true],
    ["Bool", "true", "false", false],
    ["Bool", ["true", "false"], "false", true],
    ["IpAddress", ["192.0.2.0/24", "2001:db8::/32"], "2001:db8::7", true],
    ["IpAddress", "192.0.2.0/24", "192.0.3.1", false],
    ["NotIpAddress", "192.0.2.0/24", "192.0.3.1", true],
    ["NotIpAddress", ["10.0.0.0/8", "192.0.2.7"], "192.0.2.7", false],
    ["DateEquals", "2026-01-15", "2026-01-15T00:00:00.000Z", true],
    ["DateNotEquals", "2026-01-15", "2026-01-15T00:00Z", false],
    ["DateLessThan", "2026-01-15T10:00:00Z", "2026-01-15T10:59:59+01:00", true],
    ["DateLessThan", "2026-01-15T10:00:00Z", "2026-01-15T10:00:00Z", false],
    ["DateLessThanEquals", "2026-01-15", "2026-01-15", true],
    ["DateLessThanEquals", "2026-01-15", "2026-01-16", false],
    ["DateGreaterThan", "2026-01-15", "2026-01-16", true],
    ["DateGreaterThan", "2026-01-15", "2026-01-15", false],
    ["DateGreaterThanEquals", "2026-01-15", "2026-01-15", true],
    ["DateGreaterThanEquals", "2026-01-15", "2026-01-14", false],
  ];
  for (const [operator, values, actual, met] of cases) {
    assert.equal(
      hold(operator, values, actual),
      met ? "met" : "not_met",
      `${operator} ${values} ${actual}`,
    );
  }
});

test("what cannot be understood is undecidable", () => {
  const cases: readonly [string, unknown, string | string[]][] = [
    ["NumericEquals", "7", "7"],
    ["stringEquals", "a", "a"],
    ["constructor", "a", "a"],
    ["StringEquals", [], "a"],
    ["StringEquals", null, "a"],
    ["StringEquals", { a: "a" }, "a"],
    ["StringEquals", ["a", null], "a"],
    ["StringEquals", "a", []],
    ["Bool", "yes", "true"],
    ["Bool", ["true", "yes"], "true"],
    ["Bool", "true", "1"],
    ["IpAddress", "192.0.2.0/33", "192.0.2.1"],
    ["IpAddress", "192.0.2.0/24", "somewhere"],
    ["NotIpAddress", "192.0.2.0/24", "somewhere"],
    ["DateLessThan", "tomorrow", "2026-01-15"],
    ["DateLessThan", "2026-01-15T10:00", "2026-01-15"],
    ["DateLessThan", "2026-13-01", "2026-01-15"],
    ["DateLessThan", "2026-01-15", "1768435200"],
  ];
  for (const [operator, values, actual] of cases) {
    assert.equal(
      hold(operator, values, actual),
      "undecidable",
      `${operator} ${JSON.stringify(values)} ${actual}`,
    );
  }
  for (const keys of [{}, [], "a", null, 7]) {
    assert.equal(evaluate({ StringEquals: keys }, {}), "undecidable");
  }
});

test("a key the request does not have is undecidable, negated or not", () => {
  for (const operator of ["StringEquals", "StringNotEquals"]) {
    const condition = { [operator]: { "g:Other": "a" } };
    assert.equal(evaluate(condition, { "g:Key": "a" }), "undecidable");
    assert.equal(
      evaluate({ [operator]: { toString: "a" } }, { "g:Key": "a" }),
      "undecidable",
    );
  }
});

test("keys are found in any case", () => {
  const condition = { StringEquals: { "G:SOURCE": "a" } };
  assert.equal(evaluate(condition, { "g:Source": "a" }), "met");
});

test("of a request's several values one must fit, or none when negated", () => {
  assert.equal(hold("StringEquals", ["b", "c"], ["a", "b"]), "met");
  assert.equal(hold("StringEquals", ["c"], ["a", "b"]), "not_met");
  assert.equal(hold("StringNotEquals", ["b"], ["a", "b"]), "not_met");
  assert.equal(hold("StringNotEquals", ["c"], ["a", "b"]), "met");
});

test("all operators and keys must hold", () => {
  const context = { a: "1", b: "2" };
  const met = { StringEquals: { a: "1", b: "2" }, StringLike: { a: "*" } };
  assert.equal(evaluate(met, context), "met");
  const notMet = { StringEquals: { a: "1", b: "3" }, StringLike: { a: "*" } };
  assert.equal(evaluate(notMet, context), "not_met");
});

test("one undecidable part makes the whole undecidable", () => {
  for (const condition of [
    { StringEquals: { a: "2" }, Numeric: { a: "1" } },
    { Numeric: { a: "1" }, StringEquals: { a: "2" } },
    { StringEquals: { a: "2", missing: "1" } },
  ]) {
    assert.equal(evaluate(condition, { a: "1" }), "undecidable");
  }
});

test("no condition is met", () => {
  assert.equal(evaluate({}, {}), "met");
});

test("a condition that is no object is refused", () => {
  for (const condition of ["a", 7, null, [], true]) {
    assert.throws(() => parseConditions(condition), {
      code: "ACCESS_POLICY_CONDITION_INVALID",
    });
  }
});
