import assert from "node:assert/strict";
import { test } from "node:test";
import { readFilterPolicies } from "./filter-policy.ts";

test("policies are read from SMN's names, unknown members dropped", () => {
  assert.deepEqual(
    readFilterPolicies([
      { name: "severity", string_equals: ["critical", "紧急"], more: 1 },
    ]),
    [{ name: "severity", stringEquals: ["critical", "紧急"] }],
  );
});

test("what is no list of objects is refused", () => {
  for (const body of [undefined, null, [], {}, "a", [null], ["a"], [{}]]) {
    assert.throws(() => readFilterPolicies(body), {
      code: "FILTER_POLICY_INVALID",
    });
  }
});
