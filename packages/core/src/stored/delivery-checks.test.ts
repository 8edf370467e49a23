import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, MemoryStore, RecordingLogger } from "@carillon/testing";
import { createDeliveryChecks } from "./delivery-checks.ts";

test("carriers are asked also where nothing is brought forward, for it may be due", async () => {
  const clock = new ManualClock();
  const waits: number[] = [];
  const checks = createDeliveryChecks({
    store: new MemoryStore({ clock }),
    clock,
    logger: new RecordingLogger(),
    askCarriers: async (withinMs) => {
      waits.push(withinMs);
      return 3;
    },
    settings: () => ({ idleTimeoutMinutes: 10, failIdle: true, logIdle: true }),
  });
  assert.equal((await checks.run()).asked, 3);
  assert.deepEqual(waits, [20_000]);
});
