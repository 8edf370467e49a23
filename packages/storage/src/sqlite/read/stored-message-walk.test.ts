import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { ProjectId, StoredRecordFilter } from "@carillon/core";
import { readMigrations } from "../schema/migrations.ts";
import { prepareQuery, type Query, type Row } from "../schema/query.ts";
import { listStoredKeys } from "./stored-message-walk.ts";

const projectId = "1".repeat(32) as ProjectId;
const order = { type: "order", id: "7" };
const user = { type: "user", id: "alice" };

function openDatabase(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  for (const { sql } of readMigrations()) db.exec(sql);
  return db;
}

/** Reads from the database, and keeps the plan of each query. */
function planningReader(db: DatabaseSync) {
  const plans: string[] = [];
  let rows = 0;
  const prepared = <Columns extends Row>(sql: string): Query<Columns> => {
    const query = prepareQuery<Columns>(db, sql);
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`);
    const all: Query<Columns>["all"] = (...values) => {
      plans.push(
        plan
          .all(...values)
          .map(({ detail }) => String(detail))
          .join("\n"),
      );
      const found = query.all(...values);
      rows += found.length;
      return found;
    };
    return { get: (...values) => all(...values)[0], all };
  };
  return { reader: { prepared }, plans, rowsRead: () => rows };
}

/** Messages about an order, the last `recent` of them about a user, too. */
function seed(db: DatabaseSync, messages: number, recent = 0): void {
  const message = db.prepare(
    `INSERT INTO messages (seq, id, project_id, audience, created_at,
       newest_at, expires_at, content_kind, content, template_slug, tag)
     VALUES (?1, ?2, ?3, 2, ?4, ?4, 9, 0, '', 's', 't')`,
  );
  const recipient = db.prepare(
    "INSERT INTO recipients VALUES (?, 0, 'sms', '+1', ?)",
  );
  const object = db.prepare(
    "INSERT INTO related_objects VALUES (?, ?, ?, ?, ?, 's', 'sms', 0, 0)",
  );
  db.exec("BEGIN");
  for (let seq = 1; seq <= messages; seq++) {
    message.run(seq, String(seq), projectId, seq);
    recipient.run(seq, projectId);
    object.run(seq, 0, projectId, order.type, order.id);
    if (seq > messages - recent) {
      object.run(seq, 1, projectId, user.type, user.id);
    }
  }
  db.exec("COMMIT");
}

const clock = { nextTurn: async () => {} };
const states = [
  { state: "sent", receiptExpected: true },
  { state: "expired", isExpiredByReceipt: false },
] as const;

const ways: readonly (readonly [StoredRecordFilter, index: string])[] = [
  [{}, "messages_direct"],
  [{ tag: "a" }, "messages_of_tag"],
  [{ templateSlug: "a", tag: "a" }, "messages_of_template"],
  [{ to: "+1", templateSlug: "a", tag: "a" }, "recipients_of_project"],
  [
    { relatedObjects: [order, user], to: "+1", templateSlug: "a", tag: "a" },
    "related_objects_of_project",
  ],
];

for (const [filter, index] of ways) {
  const given = Object.keys(filter).join(", ") || "nothing";
  test(`a list by ${given} walks ${index}, and sorts nothing`, async () => {
    const db = openDatabase();
    seed(db, 3);
    const { reader, plans } = planningReader(db);
    for (const rest of [{}, { states, until: 1 as never }]) {
      const all = { ...filter, ...rest };
      for (const before of [undefined, { messageSeq: 9, target: 3 }]) {
        await listStoredKeys(reader, clock, projectId, "sms", all, {
          limit: 2,
          ...(before && { before }),
        });
      }
    }
    // The first page; the rest of a message, and what is older.
    assert.equal(plans.length, 6);
    for (const plan of plans) {
      assert.match(plan, new RegExp(`INDEX ${index} `));
      assert.doesNotMatch(plan, /TEMP B-TREE|SCAN (?!json)/);
    }
  });
}

test("a list by states walks deliveries_of_project, a range for each", async () => {
  const { reader, plans } = planningReader(openDatabase());
  for (const states of [
    [{ state: "failed" }, { state: "rejected" }],
    [{ state: "failed" }, { state: "expired", isExpiredByReceipt: true }],
    [
      { state: "failed" },
      { state: "expired", isExpiredByReceipt: true },
      { state: "expired", isExpiredByReceipt: false },
    ],
  ] as const) {
    for (const before of [undefined, { messageSeq: 9, target: 3 }]) {
      const page = { limit: 2, ...(before && { before }) };
      await listStoredKeys(reader, clock, projectId, "sms", { states }, page);
    }
  }
  assert.equal(plans.length, 18);
  for (const plan of plans) {
    assert.match(
      plan,
      /INDEX deliveries_of_project \(project_id=\? AND state=\?/,
    );
    assert.doesNotMatch(plan, /TEMP B-TREE|SCAN/);
  }
});

test("a state that none is in, or a time that none is of, costs nothing", async () => {
  const db = openDatabase();
  seed(db, 5000);
  for (const filter of [
    { states: [{ state: "failed" }] },
    { states: [] },
    { since: 5001 as never },
    { since: 5001 as never, tag: "t" },
  ] as const) {
    const { reader, rowsRead } = planningReader(db);
    const { keys } = await listStoredKeys(
      reader,
      clock,
      projectId,
      "sms",
      filter,
      { limit: 20 },
    );
    assert.deepEqual(keys, []);
    assert.ok(rowsRead() <= 1, `${rowsRead()} rows`);
  }
});

test("a walk ends at the first message that is new enough", async () => {
  const db = openDatabase();
  seed(db, 5000);
  for (const [since, count] of [
    [5000, 1],
    [4991, 10],
    [1, 5000],
  ] as const) {
    for (const filter of [{}, { tag: "t" }, { relatedObjects: [order] }]) {
      const { reader, plans, rowsRead } = planningReader(db);
      const { keys, next } = await listStoredKeys(
        reader,
        clock,
        projectId,
        "sms",
        { ...filter, since: since as never },
        { limit: 5000 },
      );
      assert.equal(keys.length, count);
      assert.equal(next, undefined);
      // And the search for the first one.
      assert.ok(rowsRead() < count + 20, `${rowsRead()} rows`);
      for (const plan of plans) assert.doesNotMatch(plan, /TEMP B-TREE|SCAN/);
    }
  }
});

test("a page reads as many keys whatever the list is long", async () => {
  for (const messages of [50, 5000]) {
    const db = openDatabase();
    seed(db, messages);
    const { reader, rowsRead } = planningReader(db);
    const filter = { relatedObjects: [order] };
    const page = { limit: 20 };
    const { keys } = await listStoredKeys(
      reader,
      clock,
      projectId,
      "sms",
      filter,
      page,
    );
    assert.equal(keys.length, 20);
    assert.equal(rowsRead(), 21);
  }
});

test("a walk for what is rare ends where it may look no further, and lets others have their turn", async () => {
  const db = openDatabase();
  seed(db, 5000);
  const { reader, rowsRead } = planningReader(db);
  const filter = { relatedObjects: [order, user] };
  let turns = 0;
  const counting = {
    nextTurn: async () => {
      turns++;
    },
  };
  const { keys, next } = await listStoredKeys(
    reader,
    counting,
    projectId,
    "sms",
    filter,
    { limit: 20, maxScanned: 1000 },
  );
  assert.deepEqual(keys, []);
  assert.deepEqual(next, { messageSeq: 4001, target: 0 });
  assert.equal(rowsRead(), 1000);
  assert.equal(turns, 3);
});
