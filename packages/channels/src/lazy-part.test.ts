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
