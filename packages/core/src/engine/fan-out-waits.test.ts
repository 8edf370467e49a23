import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import type { MessageId, ProjectId } from "../ids.ts";
import type { MessageReport } from "../ports/message-store.ts";
import { addMs } from "../time.ts";
import { FanOutWaits } from "./fan-out-waits.ts";

const projectId = "1".repeat(32) as ProjectId;
const id = "2".repeat(32) as MessageId;
const otherId = "3".repeat(32) as MessageId;

function setUp(changes: Partial<MessageReport> = {}) {
  const clock = new ManualClock();
  const createdAt = clock.now();
  let report: MessageReport | undefined = {
    message: {
      seq: 1,
      id,
      projectId,
      audience: "topic",
      content: { kind: "text", text: "hi" },
      createdAt,
      expiresAt: addMs(createdAt, 1000),
    },
    fannedOut: false,
    counts: {},
    ...changes,
  };
  let looks = 0;
  const store = {
    async findMessage() {
      looks++;
      return report;
    },
  };
  const waits = new FanOutWaits({ store, clock });
  return {
    clock,
    waits,
    set(next: MessageReport | undefined) {
      report = next;
    },
    get report() {
      assert.ok(report);
      return report;
    },
    get looks() {
      return looks;
    },
    async idle() {
      for (let n = 0; n < 3; n++) await clock.nextTurn();
    },
  };
}

type World = ReturnType<typeof setUp>;

/** What a wait came to, once it is over. */
function begin({ waits }: World, withinMs = 10_000, signal?: AbortSignal) {
  const ended: { report?: MessageReport | undefined; isOver: boolean } = {
    isOver: false,
  };
  void waits.until(projectId, id, { withinMs, signal }).then((report) => {
    ended.isOver = true;
    ended.report = report;
  });
  return ended;
}

test("a message that is fanned out, or that there is none of, is answered at once", async () => {
  for (const report of [{ ...setUp().report, fannedOut: true }, undefined]) {
    const world = setUp();
    world.set(report);
    const ended = begin(world);
    await world.idle();
    assert.deepEqual(ended, { isOver: true, report });
    assert.equal(world.clock.nextTimerInMs, undefined);
  }
});

test("a wait ends when this engine finished the last range", async () => {
  const world = setUp();
  const ended = begin(world);
  await world.idle();
  world.waits.onFinished(otherId);
  await world.idle();
  assert.equal(world.looks, 1, "it looked for another message");
  world.waits.onFinished(id);
  await world.idle();
  assert.equal(world.looks, 2);
  assert.equal(ended.isOver, false, "there is another range");
  world.set({ ...world.report, fannedOut: true, counts: { waiting: 2 } });
  world.waits.onFinished(id);
  await world.idle();
  assert.deepEqual(ended, { isOver: true, report: world.report });
  assert.equal(world.clock.nextTimerInMs, undefined, "a timer is left");
});

test("a range that is finished while the store answers is not missed", async () => {
  const world = setUp();
  const ended = begin(world);
  // It has asked, and has no answer yet.
  world.waits.onFinished(id);
  await world.clock.nextTurn();
  world.set({ ...world.report, fannedOut: true });
  await world.idle();
  assert.equal(ended.isOver, true);
});

test("a wait ends when another engine finished the last range", async () => {
  const world = setUp();
  const ended = begin(world);
  await world.idle();
  world.set({ ...world.report, fannedOut: true });
  world.clock.advance(250);
  await world.idle();
  assert.equal(ended.isOver, true);
});

test("a wait ends with its time, its signal or its engine", async () => {
  const ways: ((world: World, controller: AbortController) => void)[] = [
    ({ clock }) => clock.advance(700),
    (_, controller) => controller.abort(),
    ({ waits }) => waits.end(),
  ];
  for (const end of ways) {
    const controller = new AbortController();
    const world = setUp();
    const ended = begin(world, 700, controller.signal);
    await world.idle();
    for (let n = 0; n < 2; n++) {
      world.clock.advance(250);
      await world.idle();
    }
    assert.equal(ended.isOver, false);
    end(world, controller);
    await world.idle();
    assert.deepEqual(ended, { isOver: true, report: world.report });
    assert.equal(world.clock.nextTimerInMs, undefined, "a timer is left");
  }
});

test("once its engine has ended nothing is waited for", async () => {
  const world = setUp();
  world.waits.end();
  const ended = begin(world);
  await world.idle();
  assert.equal(ended.isOver, true);
});

test("a message that begins later, or that was cancelled, is not waited for", async () => {
  const world = setUp();
  const open = world.report;
  const notBefore = addMs(world.clock.now(), 1);
  const actor = { userId: "u1", userName: "ada", jobId: "j1" };
  for (const report of [
    { ...open, message: { ...open.message, notBefore } },
    { ...open, cancellation: { at: world.clock.now(), ...actor } },
  ]) {
    world.set(report);
    const ended = begin(world);
    await world.idle();
    assert.deepEqual(ended, { isOver: true, report });
  }
  world.clock.advance(1);
  world.set({ ...open, message: { ...open.message, notBefore } });
  const ended = begin(world);
  await world.idle();
  assert.equal(ended.isOver, false, "its time has come");
  world.waits.end();
});
