import assert from "node:assert/strict";
import { test } from "node:test";
import { LruCache } from "./lru-cache.ts";

test("forgets what was used longest ago when it is full", () => {
  const cache = new LruCache<number>({ maxEntries: 2, maxAgeMs: 1000 });
  cache.set("a", 1, 0);
  cache.set("b", 2, 0);
  cache.get("a", 0);
  cache.set("c", 3, 0);
  assert.equal(cache.get("a", 0), 1);
  assert.equal(cache.get("b", 0), undefined);
  assert.equal(cache.get("c", 0), 3);
});

test("forgets what is too old, however often it is used", () => {
  const cache = new LruCache<number>({ maxEntries: 2, maxAgeMs: 1000 });
  cache.set("a", 1, 0);
  assert.equal(cache.get("a", 999), 1);
  assert.equal(cache.get("a", 1000), undefined);
  assert.equal(cache.size, 0);
});

test("keeps nothing that was looked up before all was forgotten", () => {
  const cache = new LruCache<number>({ maxEntries: 2, maxAgeMs: 100 });
  cache.set("a", 1, 0);
  const { generation } = cache;
  cache.clear();
  cache.set("a", 1, 0, generation);
  assert.equal(cache.get("a", 1), undefined);
  cache.set("a", 2, 1, cache.generation);
  assert.equal(cache.get("a", 2), 2);
});
