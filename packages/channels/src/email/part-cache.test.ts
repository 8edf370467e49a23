import assert from "node:assert/strict";
import { test } from "node:test";
import type { MailPart } from "./mail-part.ts";
import { PartCache } from "./part-cache.ts";

const fileOf = (bytes: number): MailPart => ({ raw: Buffer.alloc(bytes) });

/** Notes what is read; `size` bytes for each message. */
function createReader(size: number) {
  const reads: number[] = [];
  const read = async (seq: number) => {
    reads.push(seq);
    return [fileOf(size)];
  };
  return { read, reads };
}

test("files are read once for all who send the message, and let go after them", async () => {
  const { read, reads } = createReader(5);
  const cache = new PartCache(read, 100);
  const first = cache.hold(1);
  const second = cache.hold(1);
  assert.deepEqual(reads, []);
  const [a, b] = await Promise.all([first.read(), second.read()]);
  assert.equal(a, b);
  first[Symbol.dispose]();
  assert.equal(await second.read(), a);
  assert.deepEqual(reads, [1]);
  second[Symbol.dispose]();

  using again = cache.hold(1);
  await again.read();
  assert.deepEqual(reads, [1, 1]);
});

test("files beyond the bound are let go, those read first at first", async () => {
  const { read, reads } = createReader(40);
  const cache = new PartCache(read, 100);
  const held = [1, 2, 3].map((seq) => cache.hold(seq));
  for (const one of held) await one.read();
  await held[2]?.read();
  await held[1]?.read();
  assert.deepEqual(reads, [1, 2, 3]);
  await held[0]?.read();
  assert.deepEqual(reads, [1, 2, 3, 1]);
});

test("what could not be read is read anew", async () => {
  let isAway = true;
  const cache = new PartCache(async () => {
    if (isAway) throw new Error("away");
    return [fileOf(1)];
  }, 100);
  using held = cache.hold(1);
  await assert.rejects(held.read(), /away/);
  isAway = false;
  assert.equal((await held.read()).length, 1);
});

test("files that come after the last one gave up are not counted", async () => {
  const reading = Promise.withResolvers<readonly MailPart[]>();
  const reads: number[] = [];
  const cache = new PartCache((seq) => {
    reads.push(seq);
    return seq === 1 ? reading.promise : Promise.resolve([fileOf(10)]);
  }, 10);
  const held = cache.hold(1);
  const read = held.read();
  held[Symbol.dispose]();
  reading.resolve([fileOf(10)]);
  await read;
  using next = cache.hold(2);
  await next.read();
  await next.read();
  assert.deepEqual(reads, [1, 2]);
});
