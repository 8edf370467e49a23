import assert from "node:assert/strict";
import type { OptOutRecord } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { after, start } from "./fixtures.ts";

export function testOptOuts({ test }: Cases): void {
  test("finds all opt-outs of a recipient", async (store) => {
    const all = newOptOut();
    const one = newOptOut({ sender: "ACME" });
    await store.putOptOut(one);
    await store.putOptOut(all);
    await store.putOptOut(newOptOut({ recipient: "491511234567" }));
    assert.deepEqual(await store.findOptOuts(all.recipient), [all, one]);
    assert.deepEqual(await store.findOptOuts("49"), []);
  });

  test("keeps one opt-out per recipient and sender", async (store) => {
    await store.putOptOut(newOptOut());
    const again = newOptOut({ keyword: "CANCEL", at: after(1) });
    await store.putOptOut(again);
    assert.deepEqual(await store.findOptOuts(again.recipient), [again]);
  });

  test("takes an opt-out back", async (store) => {
    const { recipient } = newOptOut();
    const one = newOptOut({ sender: "4915100000000" });
    await store.putOptOut(newOptOut());
    await store.putOptOut(one);
    assert.equal(await store.removeOptOut(recipient, "ACME"), false);
    assert.equal(await store.removeOptOut(recipient, undefined), true);
    assert.equal(await store.removeOptOut(recipient, undefined), false);
    assert.deepEqual(await store.findOptOuts(recipient), [one]);
    assert.equal(await store.removeOptOut(recipient, one.sender), true);
    assert.deepEqual(await store.findOptOuts(recipient), []);
  });

  test("lists opt-outs page by page", async (store) => {
    const expected = [
      newOptOut({ recipient: "1" }),
      newOptOut({ recipient: "1", sender: "4915100000000" }),
      newOptOut({ recipient: "1", sender: "ACME" }),
      newOptOut({ recipient: "10" }),
      newOptOut({ recipient: "2", sender: "ACME" }),
    ];
    for (const optOut of expected.toReversed()) await store.putOptOut(optOut);
    const found: OptOutRecord[] = [];
    for (;;) {
      const after = found.at(-1);
      const page = await store.listOptOuts({
        limit: 2,
        ...(after && { after }),
      });
      if (page.length === 0) break;
      assert.ok(page.length <= 2);
      found.push(...page);
    }
    assert.deepEqual(found, expected);
  });
}

function newOptOut(optOut: Partial<OptOutRecord> = {}): OptOutRecord {
  return { recipient: "4915112345678", keyword: "STOP", at: start, ...optOut };
}
