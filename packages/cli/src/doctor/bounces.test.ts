import assert from "node:assert/strict";
import { test } from "node:test";
import { checkBounces } from "./bounces.ts";

const domain = "bounces.example.com";

test("says whether bounces come back", async () => {
  const refused = Object.assign(new Error("no"), { code: "ENOTFOUND" });
  for (const [config, answer, result, words] of [
    [{ domain }, ["mx"], "warning", /nothing listens/],
    [
      { domain, port: 25 },
      ["mx.example.com"],
      "ok",
      /goes to mx\.example\.com$/,
    ],
    [{ domain, port: 25 }, [], "warning", /\(no MX record\)/],
    [{ domain, port: 25 }, refused, "warning", /\(ENOTFOUND\)/],
  ] as const) {
    const [finding] = await checkBounces(config, {
      async resolveMx(name) {
        assert.equal(name, domain);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    assert.equal(finding?.result, result);
    assert.match(finding.found, words);
    assert.equal(finding.advice !== undefined, result !== "ok");
  }
  assert.deepEqual(await checkBounces({}), []);
});

test("an abort ends the question", async () => {
  const reason = new Error("stopped");
  await assert.rejects(
    checkBounces(
      { domain, port: 25 },
      {
        signal: AbortSignal.abort(reason),
        resolveMx: async () => {
          throw new Error("cancelled");
        },
      },
    ),
    reason,
  );
});
