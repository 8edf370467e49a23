import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import {
  type CarillonError,
  type StoreChange,
  silentLogger,
} from "@carillon/core";
import { openSqliteStore } from "../sqlite-store.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";
import { Writer } from "./writer.ts";

const newFolder = temporaryFolders();
const unavailable = { code: "STORAGE_UNAVAILABLE" };

test("says that it is unavailable when its thread died, and closes", async () => {
  const threads = watchThreads();
  const broken: CarillonError[] = [];
  const store = await openSqliteStore({
    folder: newFolder(),
    onBroken: (error) => broken.push(error),
  });
  threads.stop();
  await store.putSetting("before", "x", 0);
  const told: StoreChange[] = [];
  store.changes((change) => told.push(change));
  const underWay = assert.rejects(
    store.putSetting("during", "x", 0),
    unavailable,
  );
  // Nothing can be handed over before the next turn of the event loop.
  await Promise.all(threads.started.map((thread) => thread.terminate()));
  await underWay;
  // What was under way may be on disk.
  assert.deepEqual(told, [{ kind: "all" }]);
  await assert.rejects(store.putSetting("after", "x", 0), unavailable);
  assert.deepEqual(
    broken.map(({ code }) => code),
    ["STORAGE_UNAVAILABLE"],
  );
  assert.equal((await store.findSetting("before"))?.value, "x");
  await store.close();
});

test("says so when its thread dies while it opens", async () => {
  const threads = watchThreads();
  const opening = openSqliteStore({ folder: newFolder() });
  threads.stop();
  const refused = assert.rejects(opening, unavailable);
  await Promise.all(threads.started.map((thread) => thread.terminate()));
  await refused;
});

test("says so when its thread died before it was to open the file", async () => {
  const threads = watchThreads();
  const writer = new Writer("carillon.db", silentLogger, () => {});
  threads.stop();
  await Promise.all(threads.started.map((thread) => thread.terminate()));
  await assert.rejects(writer.open(), unavailable);
});

/** Collects the threads that are started from now on. */
function watchThreads() {
  const started: Worker[] = [];
  // The channel says only that it passes something on.
  const onStart = (message: unknown) => {
    started.push((message as { worker: Worker }).worker);
  };
  subscribe("worker_threads", onStart);
  return {
    started,
    stop: () => unsubscribe("worker_threads", onStart),
  };
}
