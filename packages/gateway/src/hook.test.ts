import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError } from "./errors.ts";
import { Hook, HookOverflowError } from "./hook.ts";

test("runs handlers in order, each after the one before has finished", async () => {
  const hook = new Hook<string>();
  const events: string[] = [];
  hook.add(async (value) => {
    events.push(`first begins ${value}`);
    await Promise.resolve();
    events.push("first ends");
  });
  hook.add(() => void events.push("second"));
  await hook.emit("x");
  assert.deepEqual(events, ["first begins x", "first ends", "second"]);
});

test("runs a handler as often as it was added", async () => {
  const hook = new Hook<number>();
  let calls = 0;
  const handler = () => {
    calls += 1;
  };
  hook.add(handler);
  hook.add(handler);
  await hook.emit(1);
  assert.equal(calls, 2);
  assert.equal(hook.size, 2);
});

test("the first failure stops the rest and reaches the emitter", async () => {
  const hook = new Hook<number>();
  const failure = new Error("no");
  let reached = false;
  hook.add(() => Promise.reject(failure));
  hook.add(() => {
    reached = true;
  });
  await assert.rejects(hook.emit(1), (error) => error === failure);
  assert.equal(reached, false);
});

test("a synchronous failure rejects like an asynchronous one", async () => {
  const hook = new Hook<number>();
  hook.add(() => {
    throw new RangeError("no");
  });
  await assert.rejects(hook.emit(1), RangeError);
});

test("removing a handler that is not there is an error", () => {
  const hook = new Hook<number>();
  const handler = () => {};
  assert.throws(() => hook.remove(handler), ConfigurationError);
  hook.add(handler);
  hook.remove(handler);
  assert.throws(() => hook.remove(handler), ConfigurationError);
});

test("remove takes the earliest addition only", async () => {
  const hook = new Hook<number>();
  const events: string[] = [];
  const twice = () => void events.push("twice");
  hook.add(twice);
  hook.add(() => void events.push("between"));
  hook.add(twice);
  hook.remove(twice);
  await hook.emit(1);
  assert.deepEqual(events, ["between", "twice"]);
});

test("the function returned by add removes that addition, and may repeat", async () => {
  const hook = new Hook<number>();
  let calls = 0;
  const handler = () => {
    calls += 1;
  };
  const remove = hook.add(handler);
  hook.add(handler);
  remove();
  remove();
  await hook.emit(1);
  assert.equal(calls, 1);
});

test("handlers removed or added during an emit count from the next one", async () => {
  const hook = new Hook<number>();
  const events: string[] = [];
  hook.add(() => {
    events.push("first");
    removeSecond();
    hook.once(() => void events.push("late"));
  });
  const removeSecond = hook.add(() => void events.push("second"));
  hook.add(() => void events.push("third"));
  await hook.emit(1);
  assert.deepEqual(events, ["first", "second", "third"]);
  await hook.emit(2);
  assert.deepEqual(events.slice(3), ["first", "third", "late"]);
});

test("a handler added during an emit waits for the next one", async () => {
  const hook = new Hook<number>();
  const events: string[] = [];
  const remove = hook.add(() => {
    if (hook.size === 1) hook.add(() => void events.push("added"));
  });
  await hook.emit(1);
  assert.deepEqual(events, []);
  remove();
  await hook.emit(2);
  assert.deepEqual(events, ["added"]);
});

test("once runs for one value, even when emits overlap", async () => {
  const hook = new Hook<number>();
  const seen: number[] = [];
  // Both emits have begun before either gets to the second handler.
  hook.add(() => Promise.resolve());
  hook.once((value) => void seen.push(value));
  await Promise.all([hook.emit(1), hook.emit(2)]);
  assert.deepEqual(seen, [1]);
  assert.equal(hook.size, 1);
});

test("a signal takes the handler away", async () => {
  const hook = new Hook<number>();
  const controller = new AbortController();
  let calls = 0;
  hook.add(
    () => {
      calls += 1;
    },
    { signal: controller.signal },
  );
  await hook.emit(1);
  controller.abort();
  await hook.emit(2);
  hook.add(
    () => {
      calls += 1;
    },
    { signal: controller.signal },
  );
  await hook.emit(3);
  assert.equal(calls, 1);
});

test("iterate gives values in order and ends with its signal", async () => {
  const hook = new Hook<number>();
  const controller = new AbortController();
  const values = hook.iterate({ signal: controller.signal });
  await hook.emit(1);
  await hook.emit(2);
  const seen: number[] = [];
  for await (const value of values) {
    seen.push(value);
    if (value === 2) void hook.emit(3);
    if (value === 3) controller.abort();
  }
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(hook.size, 0);
});

test("iterate waits for a value that is yet to come", async () => {
  const hook = new Hook<number | undefined>();
  const values = hook.iterate();
  const next = values.next();
  await hook.emit(undefined);
  assert.deepEqual(await next, { done: false, value: undefined });
});

test("leaving the loop removes the handler", async () => {
  const hook = new Hook<number>();
  const values = hook.iterate();
  await hook.emit(1);
  for await (const _ of values) break;
  assert.equal(hook.size, 0);
});

test("a reader that falls too far behind fails after what is buffered", async () => {
  const hook = new Hook<number>();
  const values = hook.iterate({ maxBuffered: 2 });
  for (const value of [1, 2, 3]) await hook.emit(value);
  assert.equal((await values.next()).value, 1);
  assert.equal((await values.next()).value, 2);
  await assert.rejects(values.next(), HookOverflowError);
  assert.equal((await values.next()).done, true);
});

test("a handler may return anything; only a promise is waited for", async () => {
  const hook = new Hook<number>();
  const values: number[] = [];
  hook.add((value) => values.push(value));
  hook.once((value) => [value]);
  await hook.emit(7);
  assert.deepEqual(values, [7]);
});
