import assert from "node:assert/strict";
import { test } from "node:test";
import { checkExtension, checkRemark } from "./subscription.ts";

test("custom headers are kept in lower case", () => {
  assert.deepEqual(checkExtension("https", { header: { "X-Team": "ops" } }), {
    header: { "x-team": "ops" },
  });
});

for (const [header, reason] of [
  [{ "x-ok": "1", "X Bad": "secret" }, /; "X Bad" does not\.$/],
  [{ "x-smn-type": "secret" }, /"x-smn-type" does not/],
  [{ [`x-${"é".repeat(99)}`]: "secret" }, /"x-é{61}…" does not/],
  [{ "x-ok": "1", "x-team": 7 }, /the value of x-team is not text/],
  [
    { "x-ok": "1", "x-team": "secret é" },
    /that of x-team has the character U\+00E9 at position 8\.$/,
  ],
  [{ "x-team": "a\nsecret" }, /that of x-team has the character U\+000A at/],
  [{ "x-team": "secret 👋" }, /that of x-team has the character U\+1F44B at/],
  [{ "x-team": "secret", "X-Team": "secret" }, /"X-Team" is there twice/],
] as const) {
  test(`a refused header is named: ${reason.source}`, () => {
    assert.throws(
      () => checkExtension("http", { header }),
      (error) => {
        assert.ok(error instanceof Error);
        assert.match(error.message, reason);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  });
}

test("headers that could forge or break a request are refused", () => {
  const headers: readonly unknown[] = [
    { "x-smn-topic-urn": "forged" },
    { host: "example.test" },
    { "x-a": "line\r\nx-b: 2" },
    { "x-a": "é" },
    { "x-a": 7 },
    { "x-a": "1", "X-A": "2" },
    { "x-a": "v".repeat(1024) },
    Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`x-${i}`, "v"])),
    [],
    "x-a: 1",
  ];
  for (const header of headers) {
    assert.throws(() => checkExtension("http", { header }), {
      code: "SUBSCRIPTION_INVALID",
    });
  }
  assert.throws(() => checkExtension("email", { header: { "x-a": "1" } }), {
    code: "SUBSCRIPTION_INVALID",
  });
});

test("a remark is text of at most 128 bytes", () => {
  assert.equal(checkRemark(undefined), "");
  assert.equal(checkRemark("é".repeat(64)), "é".repeat(64));
  for (const remark of ["é".repeat(65), 7, {}]) {
    assert.throws(() => checkRemark(remark), { code: "REMARK_INVALID" });
  }
});
