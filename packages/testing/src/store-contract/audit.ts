import assert from "node:assert/strict";
import type { AuditEntry, NewAuditEntry } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { after, start } from "./fixtures.ts";

export function testAudit({ test }: Cases): void {
  test("lists entries as they were added, newest first", async (store) => {
    const full: NewAuditEntry = {
      at: start,
      action: "POST /api/v2/users",
      count: 1,
      userId: "u1",
      userName: "ann",
      domainId: "d1",
      target: "/api/v2/users",
      address: "192.0.2.1",
      requestId: "r1",
    };
    const bare: NewAuditEntry = {
      at: after(1),
      action: "login_refused",
      count: 3,
    };
    await store.addAuditEntry(full);
    await store.addAuditEntry(bare);
    const found = await store.listAuditEntries({}, { limit: 10 });
    assert.deepEqual(found.map(withoutSeq), [bare, full]);
  });

  test("pages through what a filter leaves", async (store) => {
    for (let i = 0; i < 10; i++) {
      await store.addAuditEntry({
        at: after(i),
        action: i % 4 < 2 ? "login" : "login_refused",
        count: 1,
        userId: `u${i % 2}`,
        domainId: `d${i % 2}`,
      });
    }
    for (const [filter, expected] of [
      [{}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
      [{ domainId: "d1" }, [9, 7, 5, 3, 1]],
      [{ userId: "u0" }, [8, 6, 4, 2, 0]],
      [{ action: "login", domainId: "d0" }, [8, 4, 0]],
      [{ domainId: "d2" }, []],
    ] as const) {
      const found: AuditEntry[] = [];
      for (;;) {
        const page = await store.listAuditEntries(filter, {
          limit: 2,
          before: found.at(-1)?.seq,
        });
        if (page.length === 0) break;
        assert.ok(page.length <= 2);
        found.push(...page);
      }
      assert.deepEqual(
        found.map(({ at }) => at),
        expected.map((i) => after(i)),
      );
    }
  });
}

function withoutSeq({ seq: _, ...entry }: AuditEntry): NewAuditEntry {
  return entry;
}
