import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MessageAttribute } from "../messages/message.ts";
import {
  checkFilterPolicies,
  compileAttributes,
  describeMismatch,
  type FilterPolicy,
  findMismatch,
} from "./filter-policy.ts";
import type { Protocol } from "./protocol.ts";

const protocols = ["http", "https", "email", "sms"];

const refused = { code: "FILTER_POLICY_INVALID" };

const critical = { name: "severity", stringEquals: ["critical", "major"] };
const night = { name: "time", stringEquals: ["night"] };

function decide(
  policies: readonly FilterPolicy[],
  attributes: readonly MessageAttribute[] | undefined,
  protocol: Protocol = "https",
): boolean {
  const compiled = compileAttributes(attributes);
  return findMismatch(policies, protocol, compiled) === undefined;
}

test("policies that break a rule are refused", () => {
  const policy = (name: unknown, stringEquals: unknown) => ({
    name,
    stringEquals,
  });
  const five = Array.from({ length: 5 }, (_, i) => policy(`n${i}`, ["x"]));
  assert.equal(checkFilterPolicies(five).length, 5);
  assert.equal(checkFilterPolicies([policy("smn", ["x"])]).length, 1);
  const ten = Array.from({ length: 10 }, (_, i) => `v${i}`);
  assert.equal(checkFilterPolicies([policy("a", ten)]).length, 1);
  for (const policies of [
    [],
    [...five, policy("n5", ["x"])],
    [policy("a", ["x"]), policy("a", ["y"])],
    [policy("smn_a", ["x"])],
    [policy("_a", ["x"])],
    [policy("a_", ["x"])],
    [policy("a__b", ["x"])],
    [policy("A", ["x"])],
    [policy("a".repeat(33), ["x"])],
    [policy("", ["x"])],
    [policy(7, ["x"])],
    [policy("a", [])],
    [policy("a", [...ten, "v10"])],
    [policy("a", ["x", "x"])],
    [policy("a", ["x y"])],
    [policy("a", [""])],
    [policy("a", ["x".repeat(33)])],
    [policy("a", [7])],
    [policy("a", "x")],
    [policy("a", undefined)],
  ]) {
    assert.throws(() => checkFilterPolicies(policies), refused);
  }
});

test("a subscription without policies gets everything", () => {
  assert.ok(decide([], []));
  assert.ok(decide([], [{ name: "a", type: "STRING", value: "x" }]));
});

test("every policy must find one of its values", () => {
  const severity = (value: string): MessageAttribute => ({
    name: "severity",
    type: "STRING",
    value,
  });
  const time: MessageAttribute = {
    name: "time",
    type: "STRING_ARRAY",
    value: ["evening", "night"],
  };
  assert.ok(decide([critical], [severity("major")]));
  assert.ok(decide([critical, night], [severity("critical"), time]));
  assert.ok(!decide([critical, night], [severity("minor"), time]));
  assert.ok(!decide([critical], [severity("Critical")]));
});

test("a missing attribute matches no policy", () => {
  assert.ok(!decide([critical], []));
  assert.ok(!decide([critical], undefined, "sms"));
});

test("a message meant for other protocols is filtered, policies or not", () => {
  const only: MessageAttribute = {
    name: "smn_protocol",
    type: "PROTOCOL",
    value: ["email", "functionstage"],
  };
  assert.ok(decide([], [only], "email"));
  assert.ok(!decide([], [only], "https"));
  assert.ok(!decide([critical], [only], "email"));
});

test("says what did not match", () => {
  const attributes = compileAttributes([
    { name: "p", type: "PROTOCOL", value: ["email"] },
  ]);
  assert.equal(findMismatch([critical], "sms", attributes), "protocol");
  assert.equal(findMismatch([critical], "email", attributes), critical);
  assert.match(describeMismatch("protocol"), /other protocols/);
  assert.match(describeMismatch(critical), /severity.*critical, major/);
});

const name = fc.constantFrom("a", "b", "c", "d", "e", "f");
const value = fc.constantFrom("u", "v", "w", "x", "U");
const values = fc.uniqueArray(value, { minLength: 1, maxLength: 4 });

const attributes: fc.Arbitrary<MessageAttribute[]> = fc
  .tuple(
    fc.uniqueArray(
      fc.oneof(
        fc.record({ name, type: fc.constant("STRING" as const), value }),
        fc.record({
          name,
          type: fc.constant("STRING_ARRAY" as const),
          value: values,
        }),
      ),
      { selector: (one) => one.name, maxLength: 6 },
    ),
    fc.option(
      fc.record({
        name: fc.constant("smn_protocol"),
        type: fc.constant("PROTOCOL" as const),
        value: fc.subarray([...protocols], { minLength: 1 }),
      }),
    ),
  )
  .map(([others, meant]) => (meant ? [...others, meant] : others));

const policies: fc.Arbitrary<FilterPolicy[]> = fc.uniqueArray(
  fc.record({ name, stringEquals: values }),
  { selector: (one) => one.name, maxLength: 5 },
);

/** Straight from the rules, one list against the other. */
function decideNaively(
  policies: readonly FilterPolicy[],
  protocol: Protocol,
  attributes: readonly MessageAttribute[],
): boolean {
  for (const attribute of attributes) {
    if (attribute.type !== "PROTOCOL") continue;
    if (![attribute.value].flat().includes(protocol)) return false;
  }
  const unmatched = policies.filter((policy) => {
    const candidates = attributes
      .filter((attribute) => attribute.name === policy.name)
      .flatMap((attribute) => attribute.value);
    return !policy.stringEquals.some((wanted) =>
      candidates.some((candidate) => candidate === wanted),
    );
  });
  return unmatched.length === 0;
}

test("decisions agree with an evaluator that reads the rules literally", () => {
  fc.assert(
    fc.property(
      policies,
      fc.constantFrom(...protocols),
      attributes,
      (policies, protocol, attributes) => {
        assert.equal(
          decide(policies, attributes, protocol),
          decideNaively(policies, protocol, attributes),
        );
      },
    ),
    { numRuns: 1000 },
  );
});
