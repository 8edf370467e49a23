import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError, ServerError } from "@carillon/gateway";
import { UnforeseenErrors } from "./unforeseen-errors.ts";

test("logs each kind once, and none that a provider means", () => {
  const lines: unknown[] = [];
  const errors = new UnforeseenErrors({
    error: (event, fields) => lines.push([event, fields]),
  });
  const thrown = Array.from({ length: 3 }, (_, n) => new TypeError(`no ${n}`));
  for (const error of thrown) errors.note(error, "mine");
  errors.note(thrown[1], "other");
  errors.note("a text", "mine");
  errors.note(new ServerError("busy"), "mine");
  errors.note(new ConfigurationError("no key"), "mine");
  assert.deepEqual(lines, [
    ["sms_provider_threw", { provider: "mine", error: thrown[0] }],
    ["sms_provider_threw", { provider: "other", error: thrown[1] }],
    ["sms_provider_threw", { provider: "mine", error: "a text" }],
  ]);
});

test("of endless kinds it logs a hundred", () => {
  let lines = 0;
  const errors = new UnforeseenErrors({ error: () => lines++ });
  for (let n = 0; n < 300; n++) errors.note(new Error("x"), `p${n}`);
  assert.equal(lines, 100);
});
