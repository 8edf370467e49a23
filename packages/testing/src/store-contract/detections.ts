import assert from "node:assert/strict";
import type { DetectionResult, NewDetection } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { freshId, otherProjectId, projectId } from "./fixtures.ts";

const bounds = { keptForMs: 1000, maxOfProject: 5 };

function task(changes: Partial<NewDetection> = {}): NewDetection {
  return { id: freshId(), projectId, topicUrn: "urn:smn:r:p:t", ...changes };
}

export function testDetections({ test }: Cases): void {
  test("keeps a task, with its age, until it ends", async (store, clock) => {
    const added = task();
    await store.addDetection(added, bounds);
    assert.deepEqual(await store.findDetection(added.id), {
      ...added,
      ageMs: 0,
    });
    clock.advance(999);
    const found = await store.findDetection(added.id);
    assert.equal(found?.ageMs, 999);
    clock.advance(1);
    assert.equal(await store.findDetection(added.id), undefined);
    assert.equal(await store.findDetection(freshId()), undefined);
  });

  test("keeps the first result of a task", async (store, clock) => {
    const added = task();
    const result: DetectionResult = {
      kind: "answered",
      statusCode: 404,
      text: "no \u0000 \ud800 such 'hook'",
    };
    await store.addDetection(added, bounds);
    assert.equal(await store.settleDetection(freshId(), result), false);
    const settled = await Promise.all([
      store.settleDetection(added.id, result),
      store.settleDetection(added.id, { kind: "unanswered" }),
    ]);
    assert.deepEqual(settled, [true, false]);
    const found = await store.findDetection(added.id);
    assert.deepEqual(found?.result, result);
    const done = task({ result: { kind: "overloaded" } });
    await store.addDetection(done, bounds);
    assert.equal(await store.settleDetection(done.id, result), false);
    const late = task();
    await store.addDetection(late, bounds);
    clock.advance(1000);
    assert.equal(await store.settleDetection(late.id, result), false);
  });

  test("keeps the newest tasks of each project", async (store) => {
    const other = task({ projectId: otherProjectId });
    await store.addDetection(other, bounds);
    const added = Array.from({ length: 12 }, () => task());
    for (const it of added) await store.addDetection(it, bounds);
    const kept: string[] = [];
    for (const { id } of added) {
      if (await store.findDetection(id)) kept.push(id);
    }
    assert.deepEqual(
      kept,
      added.slice(-5).map(({ id }) => id),
    );
    assert.ok(await store.findDetection(other.id));
  });

  test("removes tasks that have ended, as many as asked for", async (store, clock) => {
    for (let n = 0; n < 5; n++) await store.addDetection(task(), bounds);
    clock.advance(999);
    assert.equal(await store.removeEndedDetections(9), 0);
    clock.advance(1);
    assert.equal(await store.removeEndedDetections(3), 3);
    assert.equal(await store.removeEndedDetections(3), 2);
    assert.equal(await store.removeEndedDetections(3), 0);
  });
}
