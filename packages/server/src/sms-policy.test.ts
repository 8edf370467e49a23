import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readSmsPolicy } from "./sms-policy.ts";

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
