import assert from "node:assert/strict";
import { test } from "node:test";
import { CarillonError } from "@carillon/core";
import { type FailurePlan, failing } from "./failing.ts";
import { MemoryStore } from "./memory-store.ts";

const error = new CarillonError("STORAGE_UNAVAILABLE");

test("fails as often as planned, and changes nothing then", async () => {
  const plan = { putSetting: { error, times: 2, after: 1 } };
  const store = failing(new MemoryStore(), plan);
  await store.putSetting("a", "1", 0);
  await assert.rejects(store.putSetting("a", "2", 0), error);
  await assert.rejects(store.putSetting("a", "3", 0), error);
  assert.equal((await store.findSetting("a"))?.value, "1");
  await store.putSetting("a", "4", 1);
  assert.equal((await store.findSetting("a"))?.value, "4");
});

test("fails until the plan is changed", async () => {
  const plan: FailurePlan = { nextDue: { error } };
  const store = failing(new MemoryStore(), plan);
  for (let n = 0; n < 5; n++) await assert.rejects(store.nextDue(), error);
  plan.nextDue = undefined;
  await store.nextDue();
});
