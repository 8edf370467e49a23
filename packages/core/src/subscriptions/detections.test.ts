/** Detections by two processes on one store. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createCountingIds,
  defineTestProtocol,
  ManualClock,
  MemoryStore,
} from "@carillon/testing";
import { CarillonError } from "../errors.ts";
import type { ProjectId } from "../ids.ts";
import type { DetectionStore } from "../ports/detection-store.ts";
import { createTopics } from "../topics/topics.ts";
import {
  createDetections,
  type Probe,
  type ProbeResult,
} from "./detections.ts";
import { createProtocols } from "./protocol.ts";

const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
const request = { protocol: "https", endpoint: "https://a.example/" };
const answered: ProbeResult = { kind: "answered", statusCode: 204, text: "" };

async function setUp() {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const newId = createCountingIds();
  const topics = createTopics({ store, clock, newId }, { region: "r" });
  const { topic } = await topics.create(projectId, { name: "a" });
  const urn = topics.urnOf(topic);
  const process = (
    probe: Probe,
    changes: { store?: DetectionStore; stopped?: AbortSignal } = {},
  ) => {
    const detections = createDetections({
      topics,
      protocols: createProtocols([
        defineTestProtocol("https", { isUrl: true }),
      ]),
      store,
      newId,
      probe,
      ...changes,
    });
    return {
      detections,
      begin: () => detections.begin(projectId, urn, request),
      get: (id: string) => detections.get(projectId, urn, id),
    };
  };
  return { clock, store, process };
}

test("a process finds what another one began, and its result", async () => {
  const { process } = await setUp();
  const reached = Promise.withResolvers<ProbeResult>();
  const one = process(() => reached.promise);
  const other = process(async () => answered);
  const id = await one.begin();
  assert.deepEqual(await other.get(id), { kind: "pending" });
  reached.resolve(answered);
  await one.detections[Symbol.asyncDispose]();
  assert.deepEqual(await other.get(id), answered);
});

test("a task whose process is gone counts as unanswered by its age", async () => {
  const { clock, process } = await setUp();
  const dead = process(() => new Promise(() => {}));
  const other = process(async () => answered);
  const id = await dead.begin();
  clock.advance(119_999);
  assert.deepEqual(await other.get(id), { kind: "pending" });
  clock.advance(1);
  assert.deepEqual(await other.get(id), { kind: "unanswered" });
});

test("a process that stops writes that its tasks are unanswered", async () => {
  const { process } = await setUp();
  const stop = new AbortController();
  const stopping = process(
    (_, signal) =>
      new Promise((resolve) => {
        signal?.addEventListener("abort", () =>
          resolve({ kind: "unanswered" }),
        );
      }),
    { stopped: stop.signal },
  );
  const ids: string[] = [];
  for (let n = 0; n < 20; n++) ids.push(await stopping.begin());
  stop.abort();
  await stopping.detections[Symbol.asyncDispose]();
  const other = process(async () => answered);
  for (const id of ids) {
    assert.deepEqual(await other.get(id), { kind: "unanswered" });
  }
});

test("of many that begin at once those beyond the places are not run", async () => {
  const { process } = await setUp();
  const reached = Promise.withResolvers<ProbeResult>();
  let probes = 0;
  const one = process(() => {
    probes++;
    return reached.promise;
  });
  const ids = await Promise.all(Array.from({ length: 300 }, one.begin));
  reached.resolve(answered);
  await one.detections[Symbol.asyncDispose]();
  const found = await Promise.all(ids.map(one.get));
  const overloaded = found.filter(({ kind }) => kind === "overloaded");
  assert.deepEqual([probes, overloaded.length], [272, 28]);
});

test("a result that cannot be written leaves the task to its age", async () => {
  const { clock, store, process } = await setUp();
  const full = {
    addDetection: store.addDetection,
    findDetection: store.findDetection,
    removeEndedDetections: store.removeEndedDetections,
    settleDetection: () => Promise.reject(new CarillonError("STORAGE_FULL")),
  };
  const { begin, get, detections } = process(async () => answered, {
    store: full,
  });
  const id = await begin();
  await detections[Symbol.asyncDispose]();
  assert.deepEqual(await get(id), { kind: "pending" });
  clock.advance(120_000);
  assert.deepEqual(await get(id), { kind: "unanswered" });
});

test("an id that cannot be one is not looked up", async () => {
  const { store, process } = await setUp();
  const asked: string[] = [];
  const noted = {
    ...store,
    findDetection: async (id: string) => {
      asked.push(id);
      return undefined;
    },
  };
  const { get } = process(async () => answered, { store: noted });
  for (const id of ["", "1", "x".repeat(32), `${"0".repeat(31)}\u0000`]) {
    await assert.rejects(get(id), { code: "DETECTION_NOT_FOUND" });
  }
  assert.deepEqual(asked, []);
});
