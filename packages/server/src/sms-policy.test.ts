import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { defaultGuardRules } from "@carillon/gateway";
import { findPolicyMistakes, readSmsPolicy } from "./sms-policy.ts";

function fileWith(t: TestContext, content: string | object): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-policy-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "policy.json");
  const text = typeof content === "string" ? content : JSON.stringify(content);
  writeFileSync(path, text);
  return path;
}

const rules = [{ name: "all", use: "a || b" }];
const ports = { providers: ["a", "b"] };
/** What the server adds: it has a ledger. */
const failover = { receipts: {} };

test("reads a policy from a file, a route, or both: the rules come first", (t) => {
  const policyFile = fileWith(t, { rules });
  const dataOf = (settings: object) => readSmsPolicy(settings, ports)?.data;
  assert.equal(dataOf({}), undefined);
  assert.deepEqual(dataOf({ policyFile }), { rules, failover });
  const routed = { name: "sms.route", use: "b*2 && a" };
  assert.deepEqual(dataOf({ route: "b*2 && a" }), {
    rules: [routed],
    failover,
  });
  assert.deepEqual(dataOf({ policyFile, route: "b*2 && a" }), {
    rules: [...rules, routed],
    failover,
  });
  const own = { receipts: { silentMinutes: 3 }, onUnknownOutcome: true };
  const withoutRules = fileWith(t, { failover: own, currency: "EUR" });
  assert.deepEqual(dataOf({ policyFile: withoutRules, route: "a" }), {
    failover: own,
    currency: "EUR",
    rules: [{ name: "sms.route", use: "a" }],
  });
});

test("leaves a route to the sandbox's phones unless it names them", () => {
  const providers = ["sandbox", "a"];
  assert.equal(readSmsPolicy({ route: "a" }, { providers }), undefined);
  const policy = readSmsPolicy({ route: "sandbox || a" }, { providers });
  assert.equal(policy?.data.rules.length, 1);
});

test("says what is wrong with a policy, and where it stands", (t) => {
  const missing = join(tmpdir(), "carillon-no-such-folder", "policy.json");
  for (const [policyFile, expected] of [
    [missing, /no-such-folder.*cannot be read \(ENOENT\)/],
    [fileWith(t, "{"), /policy\.json: .*JSON/],
    [fileWith(t, "{}"), /policy\.rules must be a list/],
    [fileWith(t, "7"), /policy must be an object/],
    [fileWith(t, { rules, fallback: 1 }), /fallback.*not known/],
    [
      fileWith(t, { rules: [{ name: "x", use: "a ||" }] }),
      /rules\[0\]\.use is no route: expected the name.*\n {2}a \|\|\n {6}\^/,
    ],
    [
      fileWith(t, { rules }),
      /unknown providers: "b" in rule "all"; there are a, c$/,
    ],
  ] as const) {
    assert.throws(
      () => readSmsPolicy({ policyFile }, { providers: ["a", "c"] }),
      {
        name: "ConfigError",
        message: new RegExp(`sms\\.policyFile: .*${expected.source}`),
      },
    );
  }
  const named = fileWith(t, { rules: [{ name: "sms.route", use: "a" }] });
  assert.throws(
    () => readSmsPolicy({ policyFile: named, route: "a" }, ports),
    /"sms\.route" is used twice/,
  );
  const wrong = fileWith(t, { rules: "a" });
  assert.throws(
    () => readSmsPolicy({ policyFile: wrong, route: "a" }, ports),
    /policy\.rules must be a list/,
  );
});

test("says all that is wrong with a file at once, each as a mistake", (t) => {
  const policyFile = fileWith(t, {
    rules: [
      { name: "x", use: "a || typo", when: { country: ["XX"] }, more: 1 },
    ],
  });
  const guard = { ...defaultGuardRules, spendPerDay: 0.2 };
  const find = (providers?: readonly string[]) =>
    findPolicyMistakes({ policyFile, route: "a", guard }, providers).map(
      ({ key, problem }) => `${key} ${problem.replace(`${policyFile}: `, "")}`,
    );
  const structure = [
    "sms.policyFile policy.rules[0].more is not known",
    "sms.policyFile policy.rules[0].when.country must be a list of ISO 3166 codes such as DE",
  ];
  const spend =
    "sms.guard.spendPerDay expected a policy with prices, because spend is limited to 0.2: give the providers of sms.policyFile a costPerSegment, or set spendPerDay to 0";
  assert.deepEqual(find(["a"]), [
    ...structure,
    'sms.policyFile unknown providers: "typo" in rule "x"; there are a',
    spend,
  ]);
  // While nobody knows which there are to be.
  assert.deepEqual(find(), [...structure, spend]);
});

test("refuses limits on spend where no provider has a price", (t) => {
  const guard = { ...defaultGuardRules, spendPerDay: 5, projectSpendPerDay: 1 };
  const keysOf = (settings: object) =>
    findPolicyMistakes({ guard, ...settings }).map(({ key }) => key);
  const limits = ["sms.guard.spendPerDay", "sms.guard.projectSpendPerDay"];
  assert.deepEqual(keysOf({}), limits);
  assert.deepEqual(keysOf({ route: "a" }), limits);
  assert.deepEqual(keysOf({ policyFile: fileWith(t, { rules }) }), limits);
  const a = { costPerSegment: 0.01 };
  const priced = { policyFile: fileWith(t, { rules, providers: { a } }) };
  assert.deepEqual(keysOf(priced), []);
  const byRule = [{ ...rules[0], providers: { a } }];
  assert.deepEqual(keysOf({ policyFile: fileWith(t, { rules: byRule }) }), []);
  assert.deepEqual(keysOf({ guard: defaultGuardRules }), []);
  // It may have prices.
  assert.deepEqual(keysOf({ policyFile: fileWith(t, "{") }), [
    "sms.policyFile",
  ]);
  assert.throws(() => readSmsPolicy({ guard }, ports), { name: "ConfigError" });
});

test("answers the policy that holds while it says the same", (t) => {
  const policyFile = fileWith(t, { rules });
  const current = readSmsPolicy({ policyFile }, ports);
  const read = () => readSmsPolicy({ policyFile }, { ...ports, current });
  assert.equal(read(), current);
  writeFileSync(
    policyFile,
    JSON.stringify({ rules: [{ ...rules[0], use: "b" }] }),
  );
  const next = read();
  assert.notEqual(next, current);
  assert.equal(next?.data.rules[0]?.use, "b");
  // What is known of providers that fail stays known.
  assert.equal(next?.onFailover, current?.onFailover);
});
