/** The plan `pull` of the torture runs, short enough for each run of tests. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { killConsumers } from "./torture/plans/pull.ts";

test("kills of consumers and server lose nothing, and repeat nothing confirmed", {
  timeout: 290_000,
}, async (t) => {
  const { figures, broken } = await killConsumers({
    rounds: 6,
    seconds: 0,
    progress: () => {},
  });
  t.diagnostic(JSON.stringify(figures));
  assert.deepEqual(broken, []);
  // The load was real.
  assert.ok(Number(figures["messages answered 2xx"]) > 100);
  assert.ok(Number(figures["confirmed, and answered"]) > 500);
});
