import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type Clock, systemClock } from "@carillon/core";
import { openSqliteStore } from "../sqlite-store.ts";
import { freshId, projectId, start } from "../store.fixture.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";

const newFolder = temporaryFolders();

test("others have their turn while a page is read", async () => {
  let turns = 0;
  const clock: Clock = {
    ...systemClock,
    nextTurn: async () => {
      turns++;
    },
  };
  const folder = newFolder();
  await using store = await openSqliteStore({ folder, clock });
  const accept = (recipients: number) =>
    store.acceptStored(
      {
        id: freshId() as never,
        projectId,
        audience: "direct",
        content: { kind: "text", text: "x" },
        createdAt: start,
        expiresAt: start,
      },
      Array.from({ length: recipients }, (_, n) => ({
        protocol: "sms",
        endpoint: `+${n}`,
        billable: true,
      })),
      {},
    );
  const turnsOf = async (limit: number) => {
    turns = 0;
    const page = { limit, excerptLength: 9 };
    const { records } = await store.listStored(projectId, "sms", {}, page);
    assert.equal(records.length, limit);
    return turns;
  };
  await accept(640);
  // By deliveries, of one message.
  assert.equal(await turnsOf(640), 10);
  for (let n = 0; n < 20; n++) await accept(1);
  // By messages.
  assert.equal(await turnsOf(20), 10);
});

test("whether a template was sent is searched for beside the writer where it takes long", async () => {
  let turns = 0;
  const clock: Clock = {
    ...systemClock,
    nextTurn: async () => {
      turns++;
    },
  };
  const folder = newFolder();
  await using store = await openSqliteStore({ folder, clock });
  const shops = [
    { type: "shop", id: "0" },
    { type: "shop", id: "1" },
  ];
  // By turns about one of two shops, and never about both.
  const db = new DatabaseSync(join(folder, "carillon.db"));
  db.prepare(
    `WITH RECURSIVE m(seq) AS
       (SELECT 1 UNION ALL SELECT seq + 1 FROM m WHERE seq < 20000)
     INSERT INTO related_objects SELECT seq, 0, ?, 'shop', seq % 2, 'opened',
       'sms', 0, 0 FROM m`,
  ).run(projectId);
  db.exec("INSERT INTO sqlite_sequence VALUES ('messages', 20000)");
  db.close();
  const accept = async () => {
    turns = 0;
    const { kind } = await store.acceptStored(
      {
        id: freshId() as never,
        projectId,
        audience: "direct",
        content: { kind: "text", text: "x" },
        templateSlug: "opened",
        relatedObjects: shops,
        createdAt: start,
        expiresAt: start,
      },
      [{ protocol: "sms", endpoint: "+1", billable: true }],
      { unlessSent: { templateSlug: "opened" } },
    );
    return kind;
  };
  const wasSent = () => store.wasSent(projectId, "sms", "opened", shops);
  turns = 0;
  assert.equal(await wasSent(), false);
  // 10,000 of each: 16, 64, 256, then 1024 in a turn.
  assert.equal(turns, 12);
  // Of two at once one is kept.
  assert.deepEqual((await Promise.all([accept(), accept()])).sort(), [
    "kept",
    "sent_before",
  ]);
  assert.equal(await accept(), "sent_before");
  // The writer had begun.
  assert.ok(turns > 4, `${turns} turns`);
  assert.equal(await wasSent(), true);
  // It is found where it was looked for last.
  await store.changeRelatedObjects(20_001, {
    add: [],
    replace: true,
    most: 9,
    at: start,
  });
  assert.equal(await accept(), "kept");
});
