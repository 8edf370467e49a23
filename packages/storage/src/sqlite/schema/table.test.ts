import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import {
  code,
  computed,
  epochMs,
  flag,
  integer,
  json,
  named,
  optional,
  text,
} from "./codec.ts";
import { prepareQuery, type SQLOutputValue } from "./query.ts";
import { defineTable, omit } from "./table.ts";

const shape = {
  seq: integer,
  displayName: text,
  color: code({ red: 7, blue: 9 }),
  from: named("sender", optional(text)),
  tags: json<readonly string[]>(),
  madeAt: epochMs,
  disabled: flag,
  size: computed("length(display_name)", integer),
};
const things = defineTable("things", shape);
const newThings = defineTable("things", omit(shape, "seq", "size"));

test("keeps a row and gives it back", () => {
  using db = openThings();
  const thing = {
    displayName: "Lamp",
    color: "blue",
    from: "+49151",
    tags: ["a", "b"],
    madeAt: 5 as never,
    disabled: true,
  } as const;
  db.prepare(newThings.insert).run(...newThings.toRow(thing));
  assert.deepEqual(things.fromRow(first(db)), { seq: 1, ...thing, size: 4 });
});

test("leaves out what is absent", () => {
  using db = openThings();
  const thing = {
    displayName: "",
    color: "red",
    tags: [],
    madeAt: 0 as never,
  } as const;
  db.prepare(newThings.insert).run(...newThings.toRow(thing));
  const read = things.fromRow(first(db));
  assert.deepEqual(Object.keys(read).sort(), [
    "color",
    "displayName",
    "madeAt",
    "seq",
    "size",
    "tags",
  ]);
});

test("puts a row in place of the one with its key", () => {
  using db = openThings();
  const put = db.prepare(newThings.replace("displayName"));
  const thing = { displayName: "Lamp", tags: [], madeAt: 0 as never } as const;
  put.run(...newThings.toRow({ ...thing, color: "red", disabled: true }));
  put.run(...newThings.toRow({ ...thing, color: "blue", from: "me" }));
  assert.deepEqual(things.fromRow(first(db)), {
    seq: 1,
    ...thing,
    color: "blue",
    from: "me",
    size: 4,
  });
});

test("reads a row that begins behind another one's columns", () => {
  const row: SQLOutputValue[] = ["before", 1, "Lamp", 7, null, "[]", 0, 0, 4];
  assert.equal(things.fromRow(row, 1).displayName, "Lamp");
  assert.equal(things.width, row.length - 1);
  assert.equal(things.indexOf("color"), 2);
});

test("lists columns of another name of the table, and with a prefix", () => {
  const last = defineTable("things", omit(shape, "size"), { prefix: "last_" });
  assert.equal(
    last.columns("t"),
    "t.last_seq, t.last_display_name, t.last_color, t.last_sender, t.last_tags, t.last_made_at, t.last_disabled",
  );
});

test("refuses an instant that is none, and a code without a name", () => {
  const row = [1, "Lamp", 7, null, "[]", 0, 0, 4];
  assert.throws(() => things.fromRow(row.with(2, 8)), /no code 8/);
  assert.throws(() => things.fromRow(row.with(5, 0.5)), RangeError);
});

function openThings(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  db.exec(`CREATE TABLE things (
    seq INTEGER PRIMARY KEY, display_name TEXT NOT NULL UNIQUE,
    color INTEGER NOT NULL, sender TEXT, tags TEXT NOT NULL,
    made_at INTEGER NOT NULL, disabled INTEGER NOT NULL) STRICT`);
  return db;
}

function first(db: DatabaseSync): readonly SQLOutputValue[] {
  const sql = `SELECT ${things.columns()} FROM things ORDER BY seq`;
  const [row, ...others] = prepareQuery<readonly SQLOutputValue[]>(
    db,
    sql,
  ).all();
  assert.ok(row);
  assert.equal(others.length, 0);
  return row;
}
