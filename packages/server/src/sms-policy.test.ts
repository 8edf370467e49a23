import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readSmsPolicy } from "./sms-policy.ts";

function fileWith(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-policy-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "policy.json");
  writeFileSync(path, content);
  return path;
}

const rules = [{ name: "all", use: [{ provider: "a" }, { provider: "b" }] }];

test("reads a policy", (t) => {
  const path = fileWith(t, JSON.stringify({ rules }));
  assert.deepEqual(readSmsPolicy(path, ["a", "b"]).data, { rules });
});

test("says what is wrong with a policy, and where it stands", (t) => {
  const missing = join(tmpdir(), "carillon-no-such-folder", "policy.json");
  for (const [path, expected] of [
    [missing, /no-such-folder.*cannot be read \(ENOENT\)/],
    [fileWith(t, "{"), /policy\.json: .*JSON/],
    [fileWith(t, "{}"), /policy\.rules must be a list/],
    [
      fileWith(t, JSON.stringify({ rules, fallback: 1 })),
      /fallback.*not known/,
    ],
    [
      fileWith(t, JSON.stringify({ rules })),
      /unknown providers: "b" in rule "all"/,
    ],
  ] as const) {
    assert.throws(() => readSmsPolicy(path, ["a"]), {
      name: "ConfigError",
      message: new RegExp(`sms\\.policyFile: .*${expected.source}`),
    });
  }
});
