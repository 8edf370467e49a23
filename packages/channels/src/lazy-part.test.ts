import assert from "node:assert/strict";
import { test } from "node:test";
import { LazyPart } from "./lazy-part.ts";

function createCounted() {
  const counts = { loaded: 0, closed: 0 };
  const part = new LazyPart(
    async () => ({ number: ++counts.loaded }),
    () => {
      counts.closed++;
    },
  );
  return { counts, part };
}

test("loads once, when it is first used, and is closed once", async () => {
  const { counts, part } = createCounted();
  assert.equal(counts.loaded, 0);
  const [first, second] = await Promise.all([part.get(), part.get()]);
  assert.equal(first, second);
  await Promise.all([part.close(), part.close()]);
  assert.deepEqual(counts, { loaded: 1, closed: 1 });
});

test("closing waits for a part that is being loaded", async () => {
  const { counts, part } = createCounted();
  void part.get();
  await part.close();
  assert.deepEqual(counts, { loaded: 1, closed: 1 });
});

test("closing loads nothing, and what is loaded later is closed", async () => {
  const { counts, part } = createCounted();
  await part.close();
  assert.deepEqual(counts, { loaded: 0, closed: 0 });
  await part.get();
  assert.deepEqual(counts, { loaded: 1, closed: 1 });
});

test("loads again after a failure, and closing does not fail with it", async () => {
  let loads = 0;
  const part = new LazyPart(
    async () => {
      if (++loads === 1) throw new Error("no file left to open");
      return loads;
    },
    () => {},
  );
  await assert.rejects(part.get(), /no file left/);
  assert.equal(await part.get(), 2);
  await part.close();

  const failing = new LazyPart(
    async () => {
      throw new Error("gone");
    },
    () => {},
  );
  const failed = assert.rejects(failing.get(), /gone/);
  await failing.close();
  await failed;
});
