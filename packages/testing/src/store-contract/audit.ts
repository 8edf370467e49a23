import assert from "node:assert/strict";
import {
  type AuditEntry,
  type AuditFilter,
  type AuditPosition,
  auditCheckInterval,
  type NewAuditEntry,
  type Store,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import { after, start } from "./fixtures.ts";

const many = 1_000_000;

export function testAudit({ test }: Cases): void {
  test("lists entries as they were added, newest first", async (store) => {
    const full: NewAuditEntry = {
      at: start,
      action: "user.create",
      count: 1,
      userId: "u1",
      userName: "ann",
      domainId: "d1",
      target: "/api/v2/users",
      details: { id: "u2", name: "bob" },
      address: "192.0.2.1",
      requestId: "r1",
    };
    const bare: NewAuditEntry = {
      at: after(1),
      action: "login_refused",
      count: 3,
    };
    await store.addAuditEntry(full, many);
    await store.addAuditEntry(bare, many);
    const { entries, next } = await store.listAuditEntries(
      {},
      { limit: 10, maxScanned: many },
    );
    assert.deepEqual(entries.map(withoutSeq), [bare, full]);
    assert.equal(next, undefined);
  });

  test("pages through what a filter leaves, however few it looks at", async (store) => {
    for (let i = 0; i < 10; i++) {
      await store.addAuditEntry(
        {
          at: after(i),
          action: i % 4 < 2 ? "login" : "login_refused",
          count: 1,
          userId: `u${i % 2}`,
          domainId: `d${i % 2}`,
        },
        many,
      );
    }
    for (const [filter, expected] of [
      [{}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
      [{ domainId: "d1" }, [9, 7, 5, 3, 1]],
      [{ userId: "u0" }, [8, 6, 4, 2, 0]],
      [{ action: "login", domainId: "d0" }, [8, 4, 0]],
      [{ action: "login", userId: "u1", domainId: "d1" }, [9, 5, 1]],
      [{ domainId: "d2" }, []],
      [{ action: "none" }, []],
    ] as const) {
      for (const maxScanned of [1, 2, 3, 5, 10, 11]) {
        const found = await listAll(store, filter, 2, maxScanned);
        assert.deepEqual(
          found.map(({ at }) => at),
          expected.map((i) => after(i)),
          JSON.stringify({ filter, maxScanned }),
        );
      }
    }
  });

  test("lists by time what was added in another order, each once", async (store) => {
    const times = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 0];
    for (const [i, time] of times.entries()) {
      const entry = { at: after(time), action: "login", count: 1 };
      const domainId = `d${i % 2}`;
      await store.addAuditEntry({ ...entry, domainId, target: `${i}` }, many);
    }
    for (const domainId of [undefined, "d0", "d1"]) {
      const expected = [...times.entries()]
        .filter(([i]) => domainId === undefined || domainId === `d${i % 2}`)
        .sort(([i, a], [j, b]) => b - a || j - i)
        .map(([i]) => `${i}`);
      for (const limit of [1, 2, 3, 100]) {
        for (const maxScanned of [1, 2, 5, 100]) {
          const found = await listAll(store, { domainId }, limit, maxScanned);
          assert.deepEqual(
            found.map(({ target }) => target),
            expected,
            JSON.stringify({ domainId, limit, maxScanned }),
          );
        }
      }
    }
  });

  test("looks at no more entries than it may for a page", async (store) => {
    for (let i = 0; i < 6; i++) {
      await store.addAuditEntry(
        { at: after(i), action: i === 0 ? "rare" : "login", count: 1 },
        many,
      );
    }
    const page = { limit: 10, maxScanned: 5 };
    const first = await store.listAuditEntries({ action: "rare" }, page);
    assert.deepEqual(first.entries, []);
    assert.ok(first.next !== undefined);
    const before = { ...page, before: first.next };
    const second = await store.listAuditEntries({ action: "rare" }, before);
    assert.equal(second.entries.length, 1);
    assert.equal(second.next, undefined);
  });

  test("who adds many entries pushes out its own", async (store) => {
    const add = async (
      domainId: string | undefined,
      userId: string | undefined,
      count: number,
      action = "topic-attribute.set",
    ) => {
      for (let i = 0; i < count; i++) {
        await store.addAuditEntry(
          {
            at: start,
            action,
            count: 1,
            ...(domainId !== undefined && { domainId }),
            ...(userId !== undefined && { userId }),
          },
          60,
        );
      }
    };
    await add("d1", "admin", 8);
    await add("d2", "admin-of-2", 12);
    await add("d1", "member", 3 * auditCheckInterval);
    await add("d1", "admin", 2 * auditCheckInterval, "login_refused");
    await add(undefined, undefined, auditCheckInterval - 20, "login_refused");
    const left = await listAll(store, {}, 50, many);
    const of = (filter: Partial<AuditEntry>) =>
      left.filter((entry) =>
        Object.entries(filter).every(
          ([name, value]) => entry[name as keyof AuditEntry] === value,
        ),
      ).length;
    assert.equal(of({ userId: "admin-of-2" }), 12);
    assert.equal(of({ userId: "admin", action: "topic-attribute.set" }), 8);
    assert.equal(of({ userId: "member" }), 8);
    assert.equal(of({ userId: "admin", action: "login_refused" }), 8);
    assert.equal(left.length - of({ domainId: "d1" }) - 12, 24);
    // The newest ones are kept, in order.
    const seqs = left.map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      seqs.toSorted((a, b) => b - a),
    );
    assert.equal(seqs[0], 600);
  });
}

async function listAll(
  store: Store,
  filter: AuditFilter,
  limit: number,
  maxScanned: number,
): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  let before: AuditPosition | undefined;
  do {
    const page = { limit, maxScanned, before };
    const { entries, next } = await store.listAuditEntries(filter, page);
    assert.ok(entries.length <= limit);
    found.push(...entries);
    before = next;
  } while (before !== undefined);
  return found;
}

function withoutSeq({ seq: _, ...entry }: AuditEntry): NewAuditEntry {
  return entry;
}
