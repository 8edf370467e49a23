/** The plan `kill` of the torture runs, short enough for each run of tests. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { killAgainAndAgain } from "./torture/plans/kill.ts";

test("kills under load lose nothing and repeat only what was in flight", {
  timeout: 280_000,
}, async (t) => {
  const { figures, broken } = await killAgainAndAgain(
    { rounds: 6, seconds: 0, progress: () => {} },
    { timeToLive: 30 },
  );
  t.diagnostic(JSON.stringify(figures));
  assert.deepEqual(broken, []);
  // The load was real: kills cut into work.
  assert.ok(Number(figures["messages answered 2xx"]) > 200);
  assert.ok(Number(figures["of these, texts to phones"]) > 10);
});
