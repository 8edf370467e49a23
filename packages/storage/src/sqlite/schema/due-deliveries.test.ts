import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import {
  backlogSql,
  dueSql,
  nextDeliverySql,
  waitingSql,
} from "./due-deliveries.ts";
import { readMigrations } from "./migrations.ts";

function planOf(sql: string, ...parameters: number[]): string {
  const db = new DatabaseSync(":memory:");
  for (const it of readMigrations()) db.exec(it.sql);
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters);
  return steps.map(({ detail }) => String(detail)).join("\n");
}

test("what is due of an urgency is read in the order of its index", () => {
  const plan = planOf(dueSql, 1, 0, 9);
  assert.match(plan, /deliveries_due \(urgency=\? AND next_attempt_at<\?\)/);
  assert.doesNotMatch(plan, /TEMP B-TREE|SCAN/);
});

test("what is due next is the first row of each urgency", () => {
  const plan = planOf(nextDeliverySql);
  const searches = plan.match(
    /COVERING INDEX deliveries_due \(urgency=\? AND next_attempt_at>\?\)/g,
  );
  assert.equal(searches?.length, 3);
  assert.doesNotMatch(plan, /TEMP B-TREE|SCAN deliveries/);
});

test("the backlog is counted along the index, without sorting", () => {
  const plan = planOf(backlogSql, 9);
  assert.match(plan, /deliveries USING INDEX deliveries_due/);
  assert.doesNotMatch(plan, /TEMP B-TREE/);
});

test("what waits for a reason is read in the order of its index", () => {
  const plan = planOf(waitingSql, 1, 9);
  assert.match(plan, /deliveries_wait \(wait_reason=\?\)/);
  assert.doesNotMatch(plan, /TEMP B-TREE|SCAN/);
});
