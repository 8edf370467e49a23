import assert from "node:assert/strict";
import { test } from "node:test";
import { createReload } from "./reload.ts";

/** A load whose runs end when the test says so. */
function setUp() {
  const runs: PromiseWithResolvers<void>[] = [];
  const reload = createReload(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { runs, reload, turn };
}

test("calls at the same time share a run", async () => {
  const { runs, reload, turn } = setUp();
  const both = Promise.all([reload(), reload()]);
  await turn();
  assert.equal(runs.length, 1);
  runs[0]?.resolve();
  await both;
});

test("a call during a run has one of its own, once that has ended", async () => {
  const { runs, reload, turn } = setUp();
  const first = reload();
  await turn();
  const later = Promise.all([reload(), reload()]);
  await turn();
  assert.equal(runs.length, 1);
  runs[0]?.resolve();
  await first;
  await turn();
  assert.equal(runs.length, 2);
  runs[1]?.resolve();
  await later;
});

test("a run that fails fails its own callers only", async () => {
  const { runs, reload, turn } = setUp();
  const first = assert.rejects(reload(), /no disk/);
  await turn();
  const second = reload();
  runs[0]?.reject(new Error("no disk"));
  await first;
  await turn();
  runs[1]?.resolve();
  await second;
});
