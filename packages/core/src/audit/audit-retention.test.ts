import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuditSource, surplusAuditEntries } from "./audit-retention.ts";

const source = (
  domainId: string | undefined,
  userId: string | undefined,
  count: number,
): AuditSource => ({ domainId, userId, count });

/** What is left of each, in the order given. */
function left(sources: readonly AuditSource[], max: number): number[] {
  const surplus = new Map(
    surplusAuditEntries(sources, max).map((it) => [it.source, it.surplus]),
  );
  return sources.map((it) => it.count - (surplus.get(it) ?? 0));
}

test("nothing gives way while there is room", () => {
  const sources = [source("d1", "u1", 60), source("d2", "u2", 40)];
  assert.deepEqual(surplusAuditEntries(sources, 100), []);
  assert.deepEqual(surplusAuditEntries([], 100), []);
});

test("the domain that has most gives way, down to its share", () => {
  const sources = [source("d1", "u1", 1000), source("d2", "u2", 30)];
  assert.deepEqual(left(sources, 100), [70, 30]);
  const three = [...sources, source(undefined, undefined, 500)];
  assert.deepEqual(left(three, 100), [35, 30, 35]);
  const even = [source("d1", "u1", 80), source("d2", "u2", 80)];
  assert.deepEqual(left(even, 100), [50, 50]);
});

test("within a domain the user who has most gives way", () => {
  const sources = [
    source("d1", "admin", 10),
    source("d1", "member", 500),
    source("d1", undefined, 300),
    source("d2", "other", 20),
  ];
  assert.deepEqual(left(sources, 100), [10, 35, 35, 20]);
});

test("many users of a domain take nothing from another", () => {
  const many = Array.from({ length: 1000 }, (_, i) => source("d1", `u${i}`, 5));
  const kept = left([...many, source("d2", "admin", 40)], 100);
  assert.equal(kept.at(-1), 40);
  assert.ok(kept.reduce((sum, count) => sum + count, 0) <= 100);
});
