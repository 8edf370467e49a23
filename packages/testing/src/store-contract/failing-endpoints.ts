import assert from "node:assert/strict";
import {
  type FailingEndpoint,
  maxFailingEndpoints,
  type Store,
  type StoreChange,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import { after, otherProjectId, projectId, start } from "./fixtures.ts";

const failing: FailingEndpoint = {
  projectId,
  protocol: "https",
  endpoint: "https://a.example/",
  since: start,
};

export function testFailingEndpoints({ test }: Cases): void {
  test("keeps which endpoints fail, and forgets those that recover", async (store) => {
    const others: readonly FailingEndpoint[] = [
      { ...failing, projectId: otherProjectId },
      { ...failing, protocol: "http" },
      { ...failing, endpoint: "https://b.example/", since: after(5) },
    ];
    assert.equal(await store.findFailingEndpoint(failing), undefined);
    for (const it of [failing, ...others]) {
      assert.equal(await store.addFailingEndpoint(it, 5), true);
    }
    assert.deepEqual(await store.findFailingEndpoint(failing), failing);
    assert.deepEqual(await store.listFailingEndpoints(), [failing, ...others]);
    assert.equal(await store.removeFailingEndpoint(failing, 6, after(1)), true);
    assert.deepEqual(await store.listFailingEndpoints(), others);
    assert.equal(await store.findFailingEndpoint(failing), undefined);
    // And again: it is the last to begin.
    await store.addFailingEndpoint(failing, 5);
    assert.deepEqual(await store.listFailingEndpoints(), [...others, failing]);
  });

  test("tells once that one begins to fail and recovers, whoever says so", async (store) => {
    const add = (since: number) =>
      store.addFailingEndpoint({ ...failing, since: after(since) }, 5);
    const remove = () => store.removeFailingEndpoint(failing, 7, after(9));
    const from = await store.readLatestPosition();
    const added = await Promise.all([add(1), add(2), add(3)]);
    assert.equal(added.filter((it) => it).length, 1);
    const removed = await Promise.all([remove(), remove()]);
    assert.equal(removed.filter((it) => it).length, 1);
    assert.equal(await remove(), false);
    const { protocol, endpoint } = failing;
    const kind = "occurrence";
    assert.deepEqual(await changesSince(store, from), [
      {
        kind,
        type: "endpoint.failing",
        projectId,
        about: { protocol, endpoint, failures: 5 },
      },
      {
        kind,
        type: "endpoint.recovered",
        projectId,
        about: { protocol, endpoint, failures: 7 },
      },
    ]);
  });

  test("tells other nodes of both", async (store) => {
    const { since: _, ...named } = failing;
    for (const write of [
      () => store.addFailingEndpoint(failing, 5),
      () => store.removeFailingEndpoint(failing, 5, after(1)),
    ]) {
      const told = Promise.withResolvers<StoreChange>();
      const stop = store.changes(told.resolve);
      await write();
      const change = await told.promise;
      stop();
      if (change.kind === "all") continue;
      assert.deepEqual(change, { kind: "endpoint", ...named });
    }
  });

  test("keeps so many at most, the latest to begin", async (store) => {
    const named = (n: number) => ({ ...failing, endpoint: `https://${n}/` });
    const extra = 3;
    for (let from = 0; from < maxFailingEndpoints + extra; ) {
      const until = Math.min(from + 500, maxFailingEndpoints + extra);
      const writes: Promise<boolean>[] = [];
      while (from < until) {
        writes.push(store.addFailingEndpoint(named(from++), 5));
      }
      await Promise.all(writes);
    }
    const kept = await store.listFailingEndpoints();
    assert.equal(kept.length, maxFailingEndpoints);
    assert.equal(kept[0]?.endpoint, named(extra).endpoint);
    // Nothing is told of one that was forgotten.
    assert.equal(await store.removeFailingEndpoint(named(0), 5, start), false);
  });

  test("forgets a deleted project's, and tells other nodes", async (store) => {
    const other = { ...failing, projectId: otherProjectId };
    await store.addFailingEndpoint(failing, 5);
    await store.addFailingEndpoint(other, 5);
    const told: StoreChange[] = [];
    const last = Promise.withResolvers<void>();
    store.changes((change) => {
      told.push(change);
      if (change.kind === "setting") last.resolve();
    });
    await store.deleteProject(projectId, start);
    await store.putSetting("after", "1", 0);
    await last.promise;
    assert.deepEqual(await store.listFailingEndpoints(), [other]);
    const ofEndpoints = told.filter(
      ({ kind }) => kind === "endpoint" || kind === "all",
    );
    const { since: _, ...named } = failing;
    const isAll = ofEndpoints.some(({ kind }) => kind === "all");
    if (!isAll) assert.deepEqual(ofEndpoints, [{ kind: "endpoint", ...named }]);
  });
}

async function changesSince(store: Store, from: string) {
  const page = await store.readChanges(from, 100);
  assert.ok(page.kind === "batches");
  return page.batches.flatMap(({ changes }) => changes);
}
