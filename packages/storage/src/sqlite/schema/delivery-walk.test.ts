import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProjectId } from "@carillon/core";
import { stateCodes } from "./codes.ts";
import { createDeliveryWalk } from "./delivery-walk.ts";
import type { Query, Row } from "./query.ts";

const projectId = "1".repeat(32) as ProjectId;

/** A project of so many messages, in which everything failed once. */
function walkOver(messages: number) {
  let messagesRead = 0;
  const counts = Object.keys(stateCodes).map((it) => +(it === "failed"));
  const prepare = <Columns extends Row>(sql: string): Query<Columns> => {
    function* find(values: readonly unknown[]): Generator<Row> {
      if (!sql.includes("FROM messages AS m")) return;
      const [before, limit] = values.slice(1).map(Number) as [number, number];
      const newest = Math.min(messages, before - 1);
      for (let seq = newest; seq > Math.max(0, newest - limit); seq--) {
        messagesRead++;
        yield [seq, 1000, 1000, 0, null, ...counts];
      }
    }
    return {
      get: (...values) => find(values).next().value as Columns | undefined,
      all: (...values) => [...find(values)] as unknown as Columns[],
    };
  };
  return { ...createDeliveryWalk(prepare), read: () => messagesRead };
}

const limits = { maxMessages: 1000, maxDeliveries: 200 };

test("one message is read for what is of one message", () => {
  const walk = walkOver(5000);
  const filter = { messageSeq: 4000, states: ["failed"] as const };
  const found = walk.count(projectId, filter, undefined, limits);
  assert.deepEqual(found, { count: 1 });
  assert.equal(walk.read(), 1);
});

test("what is of all messages is read by as many as the limit says", () => {
  const walk = walkOver(5000);
  const filter = { states: ["failed"] as const };
  const found = walk.count(projectId, filter, undefined, limits);
  assert.deepEqual(found, { count: 1000, next: { beforeMessage: 4001 } });
  assert.equal(walk.read(), 1000);
});
