import assert from "node:assert/strict";
import { test } from "node:test";
import { torture } from "./torture.ts";

test("20 kills under load lose nothing and repeat only what was in flight", {
  timeout: 300_000,
}, async (t) => {
  const report = await torture({ rounds: 20 });
  t.diagnostic(
    `${report.accepted} messages accepted, ${report.arrived} of ${report.expected} deliveries arrived, ${report.duplicates} duplicates`,
  );
  assert.deepEqual(report.lost, []);
  assert.deepEqual(report.unfinished, []);
  assert.deepEqual(report.unexplained, []);
  // The load was real: kills cut into work.
  assert.ok(report.accepted > 200, `only ${report.accepted} accepted`);
});
