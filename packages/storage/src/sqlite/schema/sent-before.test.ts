import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { readMigrations } from "./migrations.ts";
import { prepareQuery } from "./query.ts";
import { prepareSentQueries, searchSent, sentSql } from "./sent-before.ts";

const template = ["p", "shipped", "sms"] as const;
const objectOf = (id: string) => ({ type: "shop", id });

/** `about`: the objects of each message, by its number. */
function openDatabase(messages: number, about: (seq: number) => string[]) {
  const db = new DatabaseSync(":memory:");
  for (const { sql } of readMigrations()) db.exec(sql);
  const insert = db.prepare(
    "INSERT INTO related_objects VALUES (?, ?, 'p', 'shop', ?, 'shipped', 'sms', 0, 0)",
  );
  db.exec("BEGIN");
  for (let seq = 1; seq <= messages; seq++) {
    for (const [n, id] of about(seq).entries()) insert.run(seq, n, id);
  }
  db.exec("COMMIT");
  let rows = 0;
  const queries = prepareSentQueries((sql) => {
    const query = prepareQuery<[number]>(db, sql);
    const all: typeof query.all = (...values) => {
      const found = query.all(...values);
      rows += found.length;
      return found;
    };
    return { all, get: (...values) => all(...values)[0] };
  });
  const search = (ids: string[], from = 0) => {
    const rounds = searchSent(queries, template, ids.map(objectOf), from);
    const begins: number[] = [];
    rows = 0;
    for (;;) {
      const { done, value } = rounds.next();
      if (done) return { wasSent: value, begins, rows };
      begins.push(value);
    }
  };
  return { db, search };
}

test("both queries look into one index, and sort nothing", () => {
  const { db } = openDatabase(0, () => []);
  for (const [sql, values] of [
    [sentSql.inOrder, [0, 1, 0]],
    [sentSql.amongThese, ["[1]"]],
  ] as const) {
    const plan = db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...template, "shop", "1", ...values)
      .map(({ detail }) => String(detail))
      .join("\n");
    assert.match(
      plan,
      /COVERING INDEX related_objects_of_template .*message_seq[>=]/,
    );
    assert.doesNotMatch(plan, /TEMP B-TREE/);
  }
});

test("finds messages about all objects, wherever they stand", () => {
  const { search } = openDatabase(3000, (seq) => {
    if (seq === 2000) return ["a", "b", "c"];
    return [seq % 2 ? "a" : "b"];
  });
  for (const [ids, wasSent] of [
    [["a"], true],
    [["a", "a"], true],
    [["a", "b"], true],
    [["b", "c", "a"], true],
    [["c", "d"], false],
    [["d"], false],
    [[], false],
  ] as const) {
    assert.equal(search([...ids]).wasSent, wasSent, ids.join());
  }
  assert.equal(search(["a", "b"], 2000).wasSent, true);
  assert.equal(search(["a", "b"], 2001).wasSent, false);
});

test("stops after rounds of bounded length, each where the next one begins", () => {
  const { search } = openDatabase(10_000, (seq) => [seq % 2 ? "a" : "b"]);
  const { wasSent, begins, rows } = search(["a", "b"]);
  assert.equal(wasSent, false);
  // 16, 64, 256, then 1024 of one of both.
  assert.deepEqual(begins.slice(0, 4), [33, 161, 673, 2721]);
  assert.ok(begins.length < 9, `${begins.length} rounds`);
  assert.ok(rows < 5100, `${rows} rows`);
  assert.deepEqual(search(["a", "b"], 9000).begins, [9032, 9160, 9672]);
});

test("looks at no more messages than the rarest object has", () => {
  // One is rare among the first, the other among the last.
  const { search } = openDatabase(20_000, (seq) => {
    const isRare = seq % 1000 === 0;
    return [isRare === seq <= 10_000 ? "a" : "b"];
  });
  const { wasSent, begins, rows } = search(["a", "b"]);
  assert.equal(wasSent, false);
  assert.ok(begins.length <= 4, `${begins.length} rounds`);
  assert.ok(rows < 100, `${rows} rows`);
});
